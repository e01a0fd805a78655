"""What became of a campaign's leads in some days: each thing is counted when it happened."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from services.alignment.domain.funnel import Stage, WinSum


class OutcomeCounts(NamedTuple):
    """How many handoffs of a campaign came to a stage in these days."""

    campaign: str | None
    qualified: int = 0
    accepted: int = 0
    rejected: int = 0
    contacted: int = 0
    won: int = 0
    customers: int = 0
    """Leads that were won, each once however often."""


class Rejections(NamedTuple):
    """How many handoffs of a campaign were rejected for a reason; None: for none that is known."""

    campaign: str | None
    reason: str | None
    leads: int


@dataclass(frozen=True, slots=True)
class CampaignOutcome:
    """What became of a campaign's leads; a `campaign` that is None stands for those of which it is not known."""

    counts: OutcomeCounts
    rejections: Sequence[Rejections]
    """The most frequent reason first."""
    wins: Sequence[WinSum]
    """By currency, the wins of unknown worth last."""

    @property
    def campaign(self) -> str | None:
        """The campaign."""
        return self.counts.campaign


class OutcomeSum(NamedTuple):
    """How many handoffs of a campaign came to a stage in these days.

    The detail is the reason of a rejection, or the currency of a win, whose amounts are added; None: unknown.
    """

    campaign: str | None
    stage: Stage
    detail: str | None
    handoffs: int
    cents: int = 0


def outcome_counts(
    sums: Iterable[OutcomeSum], customers: Mapping[str | None, int] = MappingProxyType({})
) -> list[OutcomeCounts]:
    """The counts of each campaign of which something happened, given how many customers it won."""
    counts: dict[str | None, Counter[str]] = {}
    for row in sums:
        counts.setdefault(row.campaign, Counter())[row.stage.value] += row.handoffs
    return [
        OutcomeCounts(campaign, **of_campaign, customers=customers.get(campaign, 0))
        for campaign, of_campaign in counts.items()
    ]


def total_counts(sums: Iterable[OutcomeSum], customers: int) -> OutcomeCounts:
    """The counts of all campaigns together; a lead that several of them won is one customer."""
    counts = Counter[str]()
    for row in sums:
        counts[row.stage.value] += row.handoffs
    return OutcomeCounts(None, **counts, customers=customers)


def sum_of_counts(counts: Iterable[OutcomeCounts]) -> OutcomeCounts:
    """The sums of each column; a lead that several of the campaigns won is a customer of each."""
    sums = Counter[str]()
    for row in counts:
        sums.update({it: getattr(row, it) for it in OutcomeCounts._fields[1:]})
    return OutcomeCounts(None, **sums)


def outcomes(sums: Sequence[OutcomeSum]) -> list[CampaignOutcome]:
    """The outcome of each campaign by its name, the unknown campaign last."""
    rejections: defaultdict[str | None, list[Rejections]] = defaultdict(list)
    wins: defaultdict[str | None, list[WinSum]] = defaultdict(list)
    for row in sums:
        if row.stage is Stage.REJECTED:
            rejections[row.campaign].append(Rejections(row.campaign, row.detail, row.handoffs))
        elif row.stage is Stage.WON:
            wins[row.campaign].append(WinSum(row.campaign, row.detail, row.handoffs, row.cents))
    return [
        CampaignOutcome(
            it,
            sorted(rejections[it.campaign], key=_most_frequent),
            sorted(wins[it.campaign], key=_by_currency),
        )
        for it in sorted(
            outcome_counts(sums), key=lambda it: (it.campaign is None, it.campaign or "")
        )
    ]


def _most_frequent(rejections: Rejections) -> tuple[int, bool, str]:
    return -rejections.leads, rejections.reason is None, rejections.reason or ""


def _by_currency(win_sum: WinSum) -> tuple[bool, str]:
    return win_sum.currency is None, win_sum.currency or ""
