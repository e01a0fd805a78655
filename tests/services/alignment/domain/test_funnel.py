"""Counts become a funnel with its rates."""

from __future__ import annotations

from services.alignment.domain.funnel import PromiseCounts, StageCounts, WinSum, funnels

COUNTS = StageCounts("autumn", 1, 2, 10, 9, 6, 2, 5, 1, 1, 1, 3)


def counts(group: str | None, qualified: int) -> StageCounts:
    """A group of which nobody has seen anything yet."""
    return StageCounts(group, 1, 1, qualified, 0, 0, 0, 0, 0, 0, 0, 0)


def test_rates_are_of_what_they_say() -> None:
    [funnel] = funnels([COUNTS], [], [PromiseCounts("autumn", 3, 1)])

    assert funnel.acceptance_rate == 6 / 8
    assert funnel.contact_rate == 5 / 10
    assert funnel.win_rate == 1 / 10
    assert funnel.attainment == 3 / 4


def test_a_rate_of_nothing_is_none() -> None:
    [funnel] = funnels([counts(None, 0)], [], [])

    assert funnel.acceptance_rate is None
    assert funnel.contact_rate is None
    assert funnel.win_rate is None
    assert funnel.attainment is None


def test_each_group_has_its_own_wins_by_currency_the_unknown_ones_last() -> None:
    unknown, usd, eur = (
        WinSum("autumn", None, 1, 0),
        WinSum("autumn", "USD", 1, 500),
        WinSum("autumn", "EUR", 2, 700),
    )
    autumn, spring = funnels([COUNTS, counts("spring", 1)], [unknown, usd, eur], [])

    assert autumn.wins == [eur, usd, unknown]
    assert spring.wins == []


def test_the_largest_group_comes_first_and_the_unknown_one_last() -> None:
    groups = [counts(None, 99), counts("b", 1), counts("a", 1), counts("c", 5)]
    assert [it.counts.group for it in funnels(groups, [], [])] == ["c", "a", "b", None]
