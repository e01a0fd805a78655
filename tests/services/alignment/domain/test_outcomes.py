"""What became of the leads of campaigns."""

from __future__ import annotations

from services.alignment.domain.funnel import Stage
from services.alignment.domain.outcomes import (
    OutcomeCounts,
    OutcomeSum,
    outcome_counts,
    outcomes,
    total_counts,
)

SUMS = [
    OutcomeSum("spring", Stage.QUALIFIED, None, 4),
    OutcomeSum(None, Stage.REJECTED, "budget", 3),
    OutcomeSum("autumn", Stage.REJECTED, None, 1),
    OutcomeSum("autumn", Stage.REJECTED, "budget", 1),
    OutcomeSum("autumn", Stage.REJECTED, "timing", 2),
    OutcomeSum("autumn", Stage.WON, None, 1),
    OutcomeSum("autumn", Stage.WON, "USD", 1, 5),
    OutcomeSum("autumn", Stage.WON, "EUR", 1, 7),
]


def test_outcomes_have_their_reasons_and_wins_in_order() -> None:
    first, second, last = outcomes(SUMS)

    assert [it.campaign for it in (first, second, last)] == ["autumn", "spring", None]
    assert [it.reason for it in first.rejections] == ["timing", "budget", None]
    assert [it.currency for it in first.wins] == ["EUR", "USD", None]
    assert (second.rejections, second.wins) == ([], [])
    assert [it.leads for it in last.rejections] == [3]


def test_outcomes_are_counted_by_campaign_and_in_all() -> None:
    assert outcome_counts(SUMS, {"autumn": 2}) == [
        OutcomeCounts("spring", qualified=4),
        OutcomeCounts(None, rejected=3),
        OutcomeCounts("autumn", rejected=4, won=3, customers=2),
    ]
    assert total_counts(SUMS, 1) == OutcomeCounts(None, 4, rejected=7, won=3, customers=1)
