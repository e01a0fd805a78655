"""From tallies to what people ask: how many promises were kept, and how fast."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from services.sla_monitor.domain.tallies import time_in


class Counted(NamedTuple):
    """A sum of tallies: of a group, of a kind."""

    group: str
    kind: str
    measure: str
    bucket: int
    number: int


@dataclass(frozen=True, slots=True)
class Speed:
    """How long answers took, in seconds: half of them, and nine of ten, at most so long."""

    answers: int
    business_p50_s: float
    business_p90_s: float
    wall_p50_s: float
    wall_p90_s: float


@dataclass(frozen=True, slots=True)
class Report:
    """How a group kept its promises."""

    group: str
    met: int
    late: int
    overdue: int
    cancelled: int
    accept: Speed | None
    first_touch: Speed | None

    @property
    def promised(self) -> int:
        """Those that count: kept, or broken in whichever way. One that nobody answers is broken."""
        return self.met + self.late + self.overdue + self.cancelled

    @property
    def attainment(self) -> float:
        """Kept of promised, 0 to 1; nothing promised, nothing broken."""
        return self.met / self.promised if self.promised else 1.0


Measured = Mapping[tuple[str, str], Mapping[int, int]]
"""By kind and measure: how many in each bucket."""


def reports(counted: Iterable[Counted]) -> list[Report]:
    """One report a group, in the groups' order."""
    groups: dict[str, dict[tuple[str, str], dict[int, int]]] = {}
    for group, kind, measure, bucket, number in counted:
        measured = groups.setdefault(group, defaultdict(dict))
        measured[kind, measure][bucket] = number
    every = (_report(group, measured) for group, measured in groups.items())
    return [report for report in every if report.promised]


def _report(group: str, measured: Measured) -> Report:
    outcomes: Counter[str] = Counter()
    for (_, measure), buckets in measured.items():
        outcomes[measure] += sum(buckets.values())
    return Report(
        group=group,
        met=outcomes["met"],
        late=outcomes["late"],
        overdue=outcomes["overdue"],
        cancelled=outcomes["cancelled"],
        accept=_speed("accept", measured),
        first_touch=_speed("first_touch", measured),
    )


def _speed(kind: str, measured: Measured) -> Speed | None:
    business, wall = (measured.get((kind, measure), {}) for measure in ("business", "wall"))
    answers = sum(business.values())
    if not answers:
        return None
    return Speed(
        answers,
        business_p50_s=percentile(business, 0.5),
        business_p90_s=percentile(business, 0.9),
        wall_p50_s=percentile(wall, 0.5),
        wall_p90_s=percentile(wall, 0.9),
    )


def percentile(buckets: Mapping[int, int], part: float) -> float:
    """The seconds within which this part of the times lay, at most 9 % off; 0 of none."""
    wanted = part * sum(buckets.values())
    reached, longest = 0, 0
    for bucket, count in sorted(buckets.items()):
        if reached >= wanted:
            break
        reached, longest = reached + count, bucket
    return round(time_in(longest), 1)
