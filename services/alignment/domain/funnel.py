"""The funnel: how many leads of a period came how far, and what they were worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Stage(StrEnum):
    """A count of the funnel; a handoff may be in several."""

    QUALIFIED = "qualified"
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CONTACTED = "contacted"
    WON = "won"
    LOST = "lost"
    RECYCLED = "recycled"
    MERGED = "merged"


class StageCounts(NamedTuple):
    """How many handoffs of a group are in each stage, and under which versions of the agreement they qualified."""

    group: str | None
    first_version: int | None = None
    last_version: int | None = None
    qualified: int = 0
    assigned: int = 0
    accepted: int = 0
    rejected: int = 0
    contacted: int = 0
    won: int = 0
    lost: int = 0
    recycled: int = 0
    merged: int = 0


class KnownCounts(NamedTuple):
    """How many leads of a group became known in a period, and how many became engaged in it."""

    group: str | None
    known: int = 0
    engaged: int = 0


class WinSum(NamedTuple):
    """The wins of a group whose amounts are in one currency, or unknown (None), and the sum of these amounts."""

    group: str | None
    currency: str | None
    wins: int
    cents: int


class PromiseCounts(NamedTuple):
    """How many promises about the handoffs of a group were met, and how many broken."""

    group: str | None
    met: int
    broken: int


@dataclass(frozen=True, slots=True)
class Funnel:
    """The funnel of one group of handoffs; a `group` that is None holds those of which it is not known."""

    counts: StageCounts
    wins: Sequence[WinSum]
    promises_met: int
    promises_broken: int
    known: KnownCounts | None = None
    """None where leads that are only known are not counted, such as by team."""

    @property
    def engaged_rate(self) -> float | None:
        """engaged ÷ known, each of the period; None where none became known, or they are not counted."""
        return None if self.known is None else ratio(self.known.engaged, self.known.known)

    @property
    def qualified_rate(self) -> float | None:
        """qualified ÷ engaged, each of the period; None where none became engaged, or they are not counted."""
        return None if self.known is None else ratio(self.counts.qualified, self.known.engaged)

    @property
    def acceptance_rate(self) -> float | None:
        """accepted ÷ (accepted + rejected); None where sales has answered none."""
        return ratio(self.counts.accepted, self.counts.accepted + self.counts.rejected)

    @property
    def contact_rate(self) -> float | None:
        """contacted ÷ qualified; None where none qualified."""
        return ratio(self.counts.contacted, self.counts.qualified)

    @property
    def win_rate(self) -> float | None:
        """won ÷ qualified; None where none qualified."""
        return ratio(self.counts.won, self.counts.qualified)

    @property
    def attainment(self) -> float | None:
        """met ÷ (met + broken); None where no promise was met or broken."""
        return ratio(self.promises_met, self.promises_met + self.promises_broken)


def total_of(funnels: Iterable[Funnel]) -> Funnel:
    """All groups as one, without a name."""
    groups = list(funnels)
    versions = [
        version
        for it in groups
        for version in (it.counts.first_version, it.counts.last_version)
        if version is not None
    ]
    counts = {stage.value: sum(getattr(it.counts, stage.value) for it in groups) for stage in Stage}
    wins: dict[str | None, WinSum] = {}
    for win_sum in (win_sum for it in groups for win_sum in it.wins):
        before = wins.get(win_sum.currency, WinSum(None, win_sum.currency, 0, 0))
        wins[win_sum.currency] = before._replace(
            wins=before.wins + win_sum.wins, cents=before.cents + win_sum.cents
        )
    return Funnel(
        StageCounts(None, min(versions, default=None), max(versions, default=None), **counts),
        sorted(wins.values(), key=_by_currency),
        sum(it.promises_met for it in groups),
        sum(it.promises_broken for it in groups),
        _total_known(groups),
    )


def _total_known(groups: Sequence[Funnel]) -> KnownCounts | None:
    """The known leads of all groups; None where they are not counted."""
    known = [it.known for it in groups if it.known is not None]
    if not known:
        return None
    return KnownCounts(None, sum(it.known for it in known), sum(it.engaged for it in known))


def ratio(part: int, whole: int) -> float | None:
    """The part of the whole; None of nothing."""
    return part / whole if whole else None


def funnels(
    counts: Iterable[StageCounts], wins: Iterable[WinSum], promises: Iterable[PromiseCounts]
) -> list[Funnel]:
    """The funnel of each group: most qualified first, then by name, the unknown group last."""
    wins_of: dict[str | None, list[WinSum]] = {}
    for win_sum in wins:
        wins_of.setdefault(win_sum.group, []).append(win_sum)
    promises_of: Mapping[str | None, PromiseCounts] = {it.group: it for it in promises}
    ordered = sorted(counts, key=lambda it: (it.group is None, -it.qualified, it.group or ""))
    return [
        Funnel(
            it,
            sorted(wins_of.get(it.group, ()), key=_by_currency),
            *_met_and_broken(promises_of.get(it.group)),
        )
        for it in ordered
    ]


def _by_currency(win_sum: WinSum) -> tuple[bool, str]:
    return win_sum.currency is None, win_sum.currency or ""


def _met_and_broken(counts: PromiseCounts | None) -> tuple[int, int]:
    return (0, 0) if counts is None else (counts.met, counts.broken)
