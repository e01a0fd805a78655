"""Which groups of leads sales rejected, and why: the groups with the most, and the others together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class RejectionSum(NamedTuple):
    """How many handoffs of a group, or of several that are not listed, were rejected for a reason, or were not."""

    rank: int | None
    """Of a listed group, by its rejections, from 1 on; 0: others that have some; None: groups without any."""
    group: str
    """Empty: those of which it is not known, or several groups."""
    reason: str | None
    """Empty: none is known; None: they were not rejected."""
    handoffs: int
    groups: int
    """How many groups no earlier sum has counted."""


class Reason(NamedTuple):
    """How many handoffs were rejected for a reason; None: for none that is known."""

    reason: str | None
    handoffs: int


@dataclass(frozen=True, slots=True)
class GroupRejections:
    """How many leads of a group qualified, and how many of them sales rejected."""

    group: str | None
    """None: those of which it is not known, or several groups."""
    qualified: int
    rejected: int
    reasons: Sequence[Reason]
    """The most frequent first."""


@dataclass(frozen=True, slots=True)
class RejectionReport:
    """The groups with most rejections, the others that have some, and all leads together."""

    total: GroupRejections
    groups: Sequence[GroupRejections]
    others: GroupRejections | None
    others_groups: int


def rejection_report(sums: Iterable[RejectionSum]) -> RejectionReport:
    """The report that these sums are of."""
    by_rank: defaultdict[int | None, list[RejectionSum]] = defaultdict(list)
    for row in sums:
        by_rank[row.rank].append(row)
    listed = sorted(rank for rank in by_rank if rank)
    others = by_rank.get(0, [])
    return RejectionReport(
        total=_together(None, [row for rows in by_rank.values() for row in rows]),
        groups=[_together(by_rank[it][0].group or None, by_rank[it]) for it in listed],
        others=_together(None, others) if others else None,
        others_groups=sum(it.groups for it in others),
    )


def _together(group: str | None, sums: Sequence[RejectionSum]) -> GroupRejections:
    reasons = Counter[str]()
    for row in sums:
        if row.reason is not None:
            reasons[row.reason] += row.handoffs
    ordered = sorted(reasons.items(), key=lambda it: (-it[1], it[0] == "", it[0]))
    return GroupRejections(
        group,
        sum(it.handoffs for it in sums),
        reasons.total(),
        [Reason(name or None, number) for name, number in ordered],
    )
