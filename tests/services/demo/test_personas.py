"""The invented people: the same for the same seed, in believable shares, and known only after their form."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.demo.personas import KINDS, people_of, shares

seeds = st.integers(min_value=0, max_value=2**32)


@given(seed=seeds, count=st.integers(min_value=0, max_value=200))
@settings(max_examples=30)
def test_the_same_seed_gives_the_same_people(seed: int, count: int) -> None:
    assert people_of(seed, count) == people_of(seed, count)


def test_another_seed_gives_other_people() -> None:
    assert people_of(1, 50) != people_of(2, 50)


@given(
    weights=st.lists(st.integers(min_value=1, max_value=50), min_size=1, max_size=9),
    count=st.integers(min_value=0, max_value=1000),
)
def test_shares_add_up_and_miss_the_exact_part_by_less_than_one(
    weights: list[int], count: int
) -> None:
    split = shares(weights, count)

    assert sum(split) == count
    assert all(
        abs(part - count * weight / sum(weights)) < 1
        for part, weight in zip(split, weights, strict=True)
    )


def test_even_a_few_people_have_every_kind() -> None:
    assert {person.kind.name for person in people_of(7, 30)} == {kind.name for kind in KINDS}


@pytest.mark.parametrize(
    ("kind", "share"), [(kind.name, kind.share) for kind in KINDS], ids=[it.name for it in KINDS]
)
def test_each_kind_has_the_agreed_share(kind: str, share: int) -> None:
    counts = Counter(person.kind.name for person in people_of(7, 1000))

    assert counts[kind] == pytest.approx(1000 * share / sum(it.share for it in KINDS), abs=1)


def test_people_of_firms_write_from_their_firm_and_others_from_free_mail() -> None:
    for person in people_of(7, 300):
        domain = person.email.partition("@")[2]
        assert (domain in {firm.domain for firm in person.kind.firms}) == bool(person.kind.firms)
        assert ("company" in person.traits) == bool(person.kind.firms)


def test_some_forms_send_the_firms_size_as_text() -> None:
    sizes = {type(person.traits["employees"]) for person in people_of(7, 300) if person.kind.firms}

    assert sizes == {int, str}
