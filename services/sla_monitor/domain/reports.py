"""Reports computed from tallies: how many promises were kept, and how fast they were answered."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from services.sla_monitor.domain.tallies import seconds_of

Buckets = Mapping[int, int]
"""How many lengths of time are in each bucket."""

Measures = Mapping[tuple[str, str], Buckets]
"""A group's buckets by kind and measure."""


class TallySum(NamedTuple):
    """The sum of a group's tallies of one kind and measure, for each bucket."""

    group: str
    kind: str
    measure: str
    buckets: Buckets


@dataclass(frozen=True, slots=True)
class Speed:
    """The seconds within which half of the answers came, and nine of ten."""

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
    reported_late: int
    """How many of the met ones were reported late."""
    late: int
    overdue: int
    cancelled: int
    accept: Speed | None
    first_touch: Speed | None

    @property
    def promised(self) -> int:
        """How many promises count: those that were met, and those that were broken, unanswered ones included."""
        return self.met + self.late + self.overdue + self.cancelled

    @property
    def attainment(self) -> float:
        """The part of the promises that was met, 0 to 1; 1 if there were none."""
        return self.met / self.promised if self.promised else 1.0


def reports(sums: Iterable[TallySum]) -> list[Report]:
    """One report a group, in the groups' order; none for a group without a promise that counts."""
    groups: dict[str, dict[tuple[str, str], Buckets]] = defaultdict(dict)
    for group, kind, measure, buckets in sums:
        groups[group][kind, measure] = buckets
    all_reports = (_report(group, measures) for group, measures in groups.items())
    return [report for report in all_reports if report.promised]


def _report(group: str, measures: Measures) -> Report:
    counts: Counter[str] = Counter()
    for (_, measure), buckets in measures.items():
        counts[measure] += sum(buckets.values())
    return Report(
        group=group,
        met=counts["met"],
        reported_late=counts["reported_late"],
        late=counts["late"],
        overdue=counts["overdue"],
        cancelled=counts["cancelled"],
        accept=_speed("accept", measures),
        first_touch=_speed("first_touch", measures),
    )


def _speed(kind: str, measures: Measures) -> Speed | None:
    business, wall = (measures.get((kind, measure), {}) for measure in ("business", "wall"))
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


def percentile(buckets: Buckets, part: float) -> float:
    """The seconds within which this part of the times lies, at most 9 % off; 0 if there are none."""
    rank = part * sum(buckets.values())
    counted, longest = 0, 0
    for bucket, count in sorted(buckets.items()):
        if counted >= rank:
            break
        counted, longest = counted + count, bucket
    return round(seconds_of(longest), 1)
