"""Funnels from tallies."""

from __future__ import annotations

from services.alignment.domain.funnel import WinSum, funnels, total_of
from services.alignment.domain.tallies import Tally, funnels_of


def tally(group: str | None, version: int = 1, currency: str | None = None, **sums: int) -> Tally:
    """The sums of a group, 0 where nothing is said."""
    return Tally(group, version, currency, **{**dict.fromkeys(Tally._fields[3:], 0), **sums})


def test_tallies_of_a_group_are_one_funnel() -> None:
    tallies = [
        tally("autumn", 2, qualified=3, won=1, met=3),
        tally("autumn", 2, "EUR", qualified=1, won=1, cents=500, broken=1),
        tally("autumn", 1, "EUR", qualified=2, won=2, cents=250),
        tally("autumn", 0, merged=1),
        tally(None, 3, qualified=1),
    ]

    autumn, unknown = funnels_of(tallies)
    total = total_of([autumn, unknown])

    assert (autumn.counts.first_version, autumn.counts.last_version) == (1, 2)
    assert (autumn.counts.qualified, autumn.counts.merged, autumn.attainment) == (6, 1, 0.75)
    assert autumn.wins == [WinSum("autumn", "EUR", 3, 750), WinSum("autumn", None, 1, 0)]
    assert (unknown.counts.group, unknown.counts.qualified) == (None, 1)
    assert (total.counts.group, total.counts.qualified, total.counts.last_version) == (None, 7, 3)
    assert total.wins == [it._replace(group=None) for it in autumn.wins]


def test_no_tallies_are_no_funnel() -> None:
    assert funnels_of([]) == []
    assert total_of(funnels([], [], [])).counts.first_version is None
