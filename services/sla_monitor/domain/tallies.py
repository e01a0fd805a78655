"""What a clock adds to the reports, so that a report never counts clocks again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from math import log2
from typing import NamedTuple

from services.sla_monitor.domain.clocks import Clock, State
from shared.contracts.payloads import Scope


class Tally(NamedTuple):
    """What is counted apart: a cohort by the date of its due times."""

    due_on: date
    team: str
    rep: str
    tier: str
    kind: str
    scope: str
    measure: str
    bucket: int


def moved(pairs: Iterable[tuple[Clock | None, Clock | None]]) -> Counter[Tally]:
    """What clocks that went from one state to another take from and add to the tallies."""
    counted: Counter[Tally] = Counter()
    for before, after in pairs:
        for tally in tallies(before):
            counted[tally] -= 1
        for tally in tallies(after):
            counted[tally] += 1
    return Counter({tally: count for tally, count in counted.items() if count})


def tallies(clock: Clock | None) -> list[Tally]:
    """The tallies that a clock stands in: none while it runs in time or ended without being due."""
    if clock is None:
        return []
    measures = _measures(clock)
    if not measures:
        return []
    rep = clock.rep if clock.scope is Scope.HOP and clock.rep is not None else ""
    cohort = (clock.due_on, clock.team, rep, clock.tier, clock.kind, clock.scope.value)
    return [Tally(*cohort, measure, bucket) for measure, bucket in measures]


def _measures(clock: Clock) -> list[tuple[str, int]]:
    if clock.end is not None and clock.state is not State.CANCELLED:
        wall = clock.end.at - clock.started_at
        return [
            (clock.state.value, 0),
            ("business", bucket_of(clock.end.spent)),
            ("wall", bucket_of(wall)),
        ]
    if clock.breached_at is not None:
        return [("overdue" if clock.end is None else "cancelled", 0)]
    return []


def bucket_of(time: timedelta) -> int:
    """Four buckets an octave: a time read back from its bucket is at most 9 % off."""
    return round(4 * log2(time.total_seconds() + 1))


def time_in(bucket: int) -> float:
    """The seconds that a bucket stands for."""
    return float(2 ** (bucket / 4) - 1)
