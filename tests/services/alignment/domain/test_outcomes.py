"""What became of the leads of campaigns."""

from __future__ import annotations

from services.alignment.domain.funnel import WinSum
from services.alignment.domain.outcomes import OutcomeCounts, Rejections, outcomes


def test_outcomes_have_their_reasons_and_wins_in_order() -> None:
    spring, unknown, autumn = OutcomeCounts("spring"), OutcomeCounts(None), OutcomeCounts("autumn")
    rejections = [
        Rejections("autumn", None, 1),
        Rejections("autumn", "budget", 1),
        Rejections("autumn", "timing", 2),
        Rejections(None, "budget", 3),
    ]
    wins = [
        WinSum("autumn", None, 1, 0),
        WinSum("autumn", "USD", 1, 5),
        WinSum("autumn", "EUR", 1, 7),
    ]

    first, second, last = outcomes([spring, unknown, autumn], rejections, wins)

    assert [it.campaign for it in (first, second, last)] == ["autumn", "spring", None]
    assert [it.reason for it in first.rejections] == ["timing", "budget", None]
    assert [it.currency for it in first.wins] == ["EUR", "USD", None]
    assert (second.rejections, second.wins) == ([], [])
    assert [it.leads for it in last.rejections] == [3]
