"""Counts for the board: how many clocks are open, and how many promises were kept and broken every five minutes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from services.sla_monitor.domain.clocks import Clock, State

Pairs = Iterable[tuple[Clock | None, Clock | None]]
"""Each clock before and after; None where there was or is no clock."""

STEP = timedelta(minutes=5)
"""The length of time that one recent count is about."""


class OpenCount(NamedTuple):
    """The key of a count of open clocks. `state` is running, at_risk, paused or breached."""

    team: str
    rep: str
    tier: str
    kind: str
    scope: str
    state: str


class RecentCount(NamedTuple):
    """The key of a count of promises that were kept or broken within STEP after `since`."""

    since: datetime
    team: str
    outcome: str


def open_count_changes(pairs: Pairs) -> Counter[OpenCount]:
    """How the counts of open clocks change. A sweep calls this with ten thousand pairs of few kinds."""
    moves = Counter((_open_count(before), _open_count(after)) for before, after in pairs)
    changes: Counter[OpenCount] = Counter()
    for (before, after), number in moves.items():
        if before is not None:
            changes[before] -= number
        if after is not None:
            changes[after] += number
    return Counter({key: count for key, count in changes.items() if count})


def recent_count_changes(pairs: Pairs) -> Counter[RecentCount]:
    """How the counts of kept and broken promises change: at the instant at which each was kept or broken."""
    moves = Counter((_outcome(before), _outcome(after)) for before, after in pairs)
    changes: Counter[RecentCount] = Counter()
    for (before, after), number in moves.items():
        if before is not None:
            changes[_recent_count(*before)] -= number
        if after is not None:
            changes[_recent_count(*after)] += number
    return Counter({key: count for key, count in changes.items() if count})


def start_of_step(at: datetime) -> datetime:
    """The last full five minutes of the hour before the instant."""
    seconds = int(STEP.total_seconds())
    return datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, UTC)


def _open_count(clock: Clock | None) -> OpenCount | None:
    if clock is None or clock.ended_at is not None:
        return None
    waits = "running" if clock.warned_at is None else "at_risk"
    if clock.paused_until is not None:
        waits = "paused"
    state = waits if clock.breached_at is None else "breached"
    return OpenCount(clock.team, clock.rep or "", clock.tier, clock.kind, clock.scope, state)


def _outcome(clock: Clock | None) -> tuple[datetime, str, str] | None:
    """When the promise was kept or broken, the team, and which of the two; None if neither has happened."""
    if clock is None:
        return None
    if clock.breached_at is not None:
        return clock.due_at, clock.team, "breached"
    if clock.state is State.MET and clock.ended_at is not None:
        return clock.ended_at, clock.team, "met"
    return None


def _recent_count(at: datetime, team: str, outcome: str) -> RecentCount:
    return RecentCount(start_of_step(at), team, outcome)
