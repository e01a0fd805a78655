"""What handoffs add to the sums that reports read."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.alignment.domain.facts import HandoffFacts
from services.alignment.domain.funnel import funnels, total_of
from services.alignment.domain.promises import KeptCounts
from services.alignment.domain.tallies import (
    CATEGORY,
    MEASURES,
    Category,
    Tally,
    TallySums,
    categorised,
    category_id,
    category_of,
    contribution_of,
    differences,
    funnels_of,
    tallies_of,
    tally_changes,
)
from tests.builders import NOON, an_id, days
from tests.services.alignment.builders import after_noon

QUALIFIED = HandoffFacts(
    an_id("ada"), 1, qualified_at=NOON, agreement_version=2, team="sales", tier="hot", rep="grace"
)
WON = QUALIFIED._replace(
    accepted_at=after_noon(1),
    contacted_at=after_noon(2),
    outcome="won",
    amount_cents=1_250,
    currency="EUR",
    promises={"accept": KeptCounts(1, 0), "first_touch": KeptCounts(0, 1)},
)


def sums(**numbers: int) -> list[int]:
    """Sums in the order of the measures, 0 where nothing is said."""
    return [numbers.get(it, 0) for it in MEASURES]


def test_a_handoff_adds_the_same_to_each_of_its_fields() -> None:
    tallies = tallies_of([categorised(QUALIFIED)])

    assert {it.field: it.name for it in tallies} == {
        "team": "sales",
        "tier": "hot",
        "rep": "grace",
        **dict.fromkeys(("source", "campaign", "channel", "persona"), ""),
        CATEGORY: category_id(category_of(QUALIFIED)),
    }
    assert {it.qualified_on for it in tallies} == {date(2026, 11, 18)}
    assert list(tallies.values()) == [sums(qualified=1)] * len(tallies)


def test_a_win_is_summed_by_its_currency_and_promises_by_their_policy() -> None:
    tallies = tallies_of([categorised(WON)])
    of_team = {tally: it for tally, it in tallies.items() if tally.field == "team"}
    tally = Tally("team", "sales", date(2026, 11, 18))

    assert of_team == {
        tally._replace(agreement_version=2): sums(qualified=1, accepted=1, contacted=1, won=1),
        tally._replace(currency="EUR"): sums(wins=1, cents=1_250),
        tally._replace(policy="accept"): sums(met=1),
        tally._replace(policy="first_touch"): sums(broken=1),
    }


def test_a_merged_handoff_counts_as_nothing_else() -> None:
    tallies = tallies_of([categorised(WON._replace(outcome="merged"))])

    assert {tuple(it) for it in tallies.values()} == {tuple(sums(merged=1))}


def test_what_has_not_qualified_yet_adds_nothing() -> None:
    touched = QUALIFIED._replace(qualified_at=None)

    assert categorised(touched).category_id is None
    assert contribution_of(touched) is None
    assert contribution_of(QUALIFIED) is None, "a row of an older version"
    assert tally_changes([(QUALIFIED, QUALIFIED), (categorised(WON), categorised(WON))]) == {}


def test_categories_differ_where_any_name_does() -> None:
    names = [Category(*("x" if it == at else "" for it in range(6))) for at in range(7)]

    assert len({category_id(it) for it in names}) == len(names)


HANDOFF = st.builds(
    HandoffFacts,
    st.just(an_id("ada")),
    st.just(1),
    qualified_at=st.sampled_from([None, NOON, NOON + days(1)]),
    agreement_version=st.sampled_from([None, 1, 2]),
    campaign=st.sampled_from([None, "autumn"]),
    rep=st.sampled_from([None, "grace", "linus"]),
    rejected_at=st.sampled_from([None, NOON]),
    accepted_at=st.sampled_from([None, NOON]),
    outcome=st.sampled_from([None, "won", "lost", "recycled", "merged"]),
    amount_cents=st.sampled_from([None, 1, 250]),
    currency=st.sampled_from([None, "EUR", "USD"]),
    promises=st.dictionaries(
        st.sampled_from("ab"), st.builds(KeptCounts, *[st.integers(0, 2)] * 2)
    ),
).map(categorised)


@given(st.lists(st.lists(HANDOFF, min_size=2)))
def test_changes_along_any_way_sum_to_the_fold_over_where_it_ends(
    ways: list[list[HandoffFacts]],
) -> None:
    nothing = QUALIFIED._replace(qualified_at=None)
    pairs = [pair for way in ways for pair in pairwise([nothing, *way])]

    assert differences(tally_changes(pairs), tallies_of(way[-1] for way in ways)) == {}


def test_sums_are_funnels_of_groups_that_have_handoffs() -> None:
    def row(group: str | None, version: int, currency: str = "", **numbers: int) -> TallySums:
        return TallySums(group, version, currency, *sums(**numbers))

    rows = [
        row("autumn", 2, qualified=2, won=2),
        row("autumn", 1, merged=1),
        row("autumn", 7),
        row("autumn", 0, wins=1, met=3, broken=1),
        row("autumn", 0, "EUR", wins=1, cents=500),
        row("left", 1, met=0),
        row(None, 3, qualified=1),
    ]

    autumn, unknown = funnels_of(rows)
    total = total_of([autumn, unknown])

    assert (autumn.counts.first_version, autumn.counts.last_version) == (1, 2)
    assert (autumn.counts.qualified, autumn.counts.merged, autumn.attainment) == (2, 1, 0.75)
    assert [(it.currency, it.wins, it.cents) for it in autumn.wins] == [
        ("EUR", 1, 500),
        (None, 1, 0),
    ]
    assert (unknown.counts.group, unknown.counts.qualified) == (None, 1)
    assert (total.counts.group, total.counts.qualified, total.counts.last_version) == (None, 3, 3)
    assert total.wins == [it._replace(group=None) for it in autumn.wins]
    assert total_of(funnels([], [], [])).counts.first_version is None
