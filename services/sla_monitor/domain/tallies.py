"""Tallies: what each clock adds to the counts that reports are computed from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from itertools import product
from math import log2
from typing import NamedTuple

from services.sla_monitor.domain.clocks import Clock, State
from shared.contracts.payloads import Scope

EVERY = "*"
"""Stands for all reps, or all tiers, in a tally."""

PROMISED = ("met", "late", "overdue", "cancelled")
"""The measures that together are the promises that count."""


class Tally(NamedTuple):
    """The key of a count: a measure of the clocks of one kind and one group that were due on one date."""

    due_on: date
    team: str
    rep: str
    tier: str
    kind: str
    scope: str
    measure: str
    bucket: int


def tally_changes(pairs: Iterable[tuple[Clock | None, Clock | None]]) -> Counter[Tally]:
    """How the counts change, given each clock before and after; None where there was or is no clock."""
    changes: Counter[Tally] = Counter()
    for before, after in pairs:
        for tally in tallies_of(before):
            changes[tally] -= 1
        for tally in tallies_of(after):
            changes[tally] += 1
    return Counter({tally: count for tally, count in changes.items() if count})


def with_sums(changes: Mapping[Tally, int]) -> Counter[Tally]:
    """The changes of the counts of each rep and tier, and of those over all reps and all tiers."""
    counts: Counter[Tally] = Counter()
    for tally, count in changes.items():
        for rep, tier in product((tally.rep, EVERY), (tally.tier, EVERY)):
            counts[tally._replace(rep=rep, tier=tier)] += count
    return counts


def differences(stored: Mapping[Tally, int], counted: Mapping[Tally, int]) -> dict[Tally, int]:
    """What the stored counts lack of those of a recount without sums; negative where they have too much."""
    expected = with_sums(counted)
    missing = {it: expected[it] - stored.get(it, 0) for it in {*expected, *stored}}
    return {tally: count for tally, count in missing.items() if count}


def tallies_of(clock: Clock | None) -> list[Tally]:
    """The tallies that count a clock: none while it runs in time, or if it was cancelled in time."""
    if clock is None:
        return []
    measures = measures_of(clock)
    if not measures:
        return []
    rep = clock.rep if clock.scope is Scope.HOP and clock.rep is not None else ""
    cohort = (clock.due_on, clock.team, rep, clock.tier, clock.kind, clock.scope.value)
    return [Tally(*cohort, measure, bucket) for measure, bucket in measures]


def measures_of(clock: Clock) -> list[tuple[str, int]]:
    """What a clock counts for, each with a bucket; nothing while it runs in time, or if it was cancelled in time."""
    answered = clock.state in {State.MET, State.LATE}
    if answered and clock.ended_at is not None and clock.spent is not None:
        wall_time = clock.ended_at - clock.started_at
        late_report = [("reported_late", 0)] if clock.reported_late else []
        return [
            (clock.state.value, 0),
            *late_report,
            ("business", bucket_of(clock.spent)),
            ("wall", bucket_of(wall_time)),
        ]
    if clock.breached_at is not None:
        return [("overdue" if clock.ended_at is None else "cancelled", 0)]
    return []


def bucket_of(time: timedelta) -> int:
    """The bucket of a length of time: four an octave, so that `seconds_of` it is at most 9 % off."""
    return round(4 * log2(time.total_seconds() + 1))


def seconds_of(bucket: int) -> float:
    """The seconds that a bucket stands for."""
    return float(2 ** (bucket / 4) - 1)
