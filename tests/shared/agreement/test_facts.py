"""The traits of a lead are converted to their declared types, or are missing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.agreement.facts import lead_facts, typed_traits
from shared.agreement.load import parse
from tests.shared.agreement.builders import WHOLE

AGREEMENT = parse(WHOLE)
MISSING = object()


@pytest.mark.parametrize(
    ("name", "sent", "read"),
    [
        ("country", "DE", "DE"),
        ("country", " ", MISSING),
        ("country", "", MISSING),
        ("country", 49, "49"),
        ("country", 49.0, "49"),
        ("country", 4.5, "4.5"),
        ("country", float("nan"), MISSING),
        ("country", float("inf"), MISSING),
        ("country", True, MISSING),
        ("country", ["DE"], MISSING),
        ("country", None, MISSING),
        ("employees", 70, 70.0),
        ("employees", 70.5, 70.5),
        ("employees", "70", 70.0),
        ("employees", " 7.5e1 ", 75.0),
        ("employees", "-3.", -3.0),
        ("employees", "1e999", MISSING),
        ("employees", "nan", MISSING),
        ("employees", "1_000", MISSING),
        ("employees", "50-100", MISSING),
        ("employees", "٣", MISSING),
        ("employees", float("inf"), MISSING),
        ("employees", 10**400, MISSING),
        ("employees", True, MISSING),
        ("employees", [], MISSING),
        ("customer", True, True),
        ("customer", "True", True),
        ("customer", "false ", False),
        ("customer", "yes", MISSING),
        ("customer", 1, MISSING),
        ("tags", ["a", 5, None, ""], ["a", "5"]),
        ("tags", ("a",), ["a"]),
        ("tags", "a", ["a"]),
        ("tags", [], MISSING),
        ("tags", {}, MISSING),
        ("unheard_of", "x", MISSING),
    ],
)
def test_a_trait_is_read_as_what_was_declared(name: str, sent: object, read: object) -> None:
    typed = typed_traits({name: sent}, AGREEMENT)
    assert typed.get(name, MISSING) == read
    assert type(typed.get(name, MISSING)) is type(read)


ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5
)


@given(st.dictionaries(st.sampled_from([*AGREEMENT.traits, "other"]), ANYTHING))
def test_reading_twice_is_reading_once(sent: dict[str, Any]) -> None:
    once = typed_traits(sent, AGREEMENT)
    assert typed_traits(once, AGREEMENT) == once
    assert set(once) <= set(AGREEMENT.traits)


def test_the_facts_of_a_lead_are_declared_traits_and_identity() -> None:
    assert lead_facts(
        {"country": "DE", "email": "other@x.org", "stage": "won"},
        email="Ada@Example.COM",
        account="example.com",
        stage="known",
        agreement=AGREEMENT,
    ) == {
        "country": "DE",
        "email": "Ada@Example.COM",
        "domain": "example.com",
        "account": "example.com",
        "stage": "known",
    }


def test_what_is_not_known_of_a_lead_is_absent() -> None:
    assert lead_facts({}, email=None, account=None, stage=None, agreement=AGREEMENT) == {}
