"""What became of a campaign's leads in some days: each thing is counted when it happened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.alignment.domain.funnel import WinSum


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


def outcomes(
    counts: Iterable[OutcomeCounts], rejections: Iterable[Rejections], wins: Iterable[WinSum]
) -> list[CampaignOutcome]:
    """The outcome of each campaign by its name, the unknown campaign last."""
    rejections_of: defaultdict[str | None, list[Rejections]] = defaultdict(list)
    for rejection in rejections:
        rejections_of[rejection.campaign].append(rejection)
    wins_of: defaultdict[str | None, list[WinSum]] = defaultdict(list)
    for win_sum in wins:
        wins_of[win_sum.group].append(win_sum)
    return [
        CampaignOutcome(
            it,
            sorted(rejections_of[it.campaign], key=_most_frequent),
            sorted(wins_of[it.campaign], key=_by_currency),
        )
        for it in sorted(counts, key=lambda it: (it.campaign is None, it.campaign or ""))
    ]


def _most_frequent(rejections: Rejections) -> tuple[int, bool, str]:
    return -rejections.leads, rejections.reason is None, rejections.reason or ""


def _by_currency(win_sum: WinSum) -> tuple[bool, str]:
    return win_sum.currency is None, win_sum.currency or ""
