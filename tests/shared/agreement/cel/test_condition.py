"""Conditions hold, or do not; a value that is missing, or of another kind, makes them false, never an error."""

from __future__ import annotations

import copy
import pickle
from collections import ChainMap
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from shared.agreement.cel.compile import plain
from shared.agreement.cel.condition import Condition, MissingFact


class Colour(StrEnum):
    RED = "red"


ID = UUID("00000000-0000-0000-0000-000000000001")


@pytest.mark.parametrize(
    ("source", "lead", "holds"),
    [
        ("lead.n > 5.5", {"n": 7}, True),
        ("lead.n > 5", {"n": 5.5}, True),
        ("lead.n == 7", {"n": 7.0}, True),
        ("lead.n in [7, 8]", {"n": 7.0}, True),
        ("lead.n * 2.0 == 14", {"n": 7.0}, True),
        ("lead.n < 9", {"n": float("nan")}, False),
        ('lead.c == "DE"', {"c": "DE"}, True),
        ('lead.c == "DE"', {"c": "FR"}, False),
        ('lead.c == "DE"', {}, False),
        ('lead.c == "DE"', {"c": None}, False),
        ("lead.c > 5", {"c": None}, False),
        ("lead.c > 5", {"c": "text"}, False),
        ("lead.c.d == 1", {"c": "text"}, False),
        ("lead.n / 0 == 1", {"n": 1}, False),
        ('lead.c != "DE"', {}, False),
        ('!(lead.c == "DE")', {}, False),
        ("has(lead.c)", {}, False),
        ("!has(lead.c)", {}, True),
        ("has(lead.c)", {"c": ""}, True),
        ('!has(lead.c) || lead.c != "DE"', {}, True),
        ('lead.a == "x" || lead.b == "y"', {"b": "y"}, True),
        ('lead.a == "x" && lead.b == "y"', {"b": "y"}, False),
        ('lead.t.exists(it, it == "a")', {"t": ["b", "a"]}, True),
        ('"a" in lead.t', {"t": ("a",)}, True),
        ('"a" in lead.t', {"t": frozenset("a")}, True),
        ('lead.c == "red"', {"c": Colour.RED}, True),
        ('lead.c == "red" && lead.n == 2', {"c": "red", "n": 2, "id": ID}, True),
        ("lead.n > 1", {"n": 2**70}, True),
        ("lead.n > 1", {"n": 10**400}, True),
        ("lead.n > 1", {"n": -(10**400)}, False),
        ('lead.c == "x"', {"c": "x", "lone": "\ud800"}, True),
        ('lead.at.startsWith("2026")', {"at": datetime(2026, 1, 1, tzinfo=UTC)}, True),
        ("lead.c", {"c": True}, True),
        ("lead.c", {"c": "true"}, False),
        ("true", {}, True),
        ('lead.c.matches("(?i)^d")', {"c": "DE"}, True),
    ],
)
def test_a_condition_holds_or_does_not(source: str, lead: dict[str, Any], *, holds: bool) -> None:
    assert Condition(source).holds({"lead": lead}) is holds
    assert Condition(source).holds(ChainMap({"lead": MappingProxyType(lead)})) is holds


def test_a_name_that_the_context_promises_must_be_there() -> None:
    with pytest.raises(MissingFact, match=r"fit > 3.* with nothing but engagement, lead"):
        Condition("fit > 3").holds({"lead": {}, "engagement": 3.0})


def test_a_condition_that_is_no_cel_raises() -> None:
    with pytest.raises(RuntimeError, match="Syntax error"):
        Condition("fit >").holds({"fit": 3})


@pytest.mark.parametrize(
    ("source", "constant"),
    [("true", True), ("true || fit > 3", True), ("fit > 3 && 1 > 2", False), ("fit > 3", None)],
)
def test_what_depends_on_no_fact_is_constant(source: str, constant: bool | None) -> None:  # noqa: FBT001
    assert Condition(source).constant is constant


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(value=JSON, second=JSON)
def test_no_value_of_an_event_makes_a_condition_fail(value: object, second: object) -> None:
    facts = {"event": {"properties": {"path": value, "second": second}}}
    for source in (
        'event.properties.path == "/pricing"',
        'event.properties.path.startsWith("/docs")',
        "event.properties.path > 3 || event.properties.path.x == 1",
        "has(event.properties.path.deeper)",
    ):
        assert Condition(source).holds(facts) in {True, False}


@given(value=JSON)
def test_plain_values_are_plain_already(value: object) -> None:
    made = plain({"it": value})
    assert plain(made) == made or "nan" in repr(made)


class Rule(BaseModel):
    when: Condition


def test_a_condition_is_a_field_and_goes_through_json() -> None:
    rule = Rule.model_validate({"when": "fit > 3"})
    assert Rule.model_validate_json(rule.model_dump_json()) == rule
    assert Rule.model_validate({"when": True}).when == Condition("true")
    assert Rule.model_json_schema()["properties"]["when"] == {
        "maxLength": 2000,
        "title": "When",
        "type": ["string", "boolean"],
    }
    with pytest.raises(ValidationError):
        Rule.model_validate({"when": 3})


def test_a_condition_is_a_value() -> None:
    condition = Condition("fit > 3")
    assert condition.holds({"fit": 4})
    for same in (copy.deepcopy(condition), pickle.loads(pickle.dumps(condition))):  # noqa: S301
        assert same == condition
        assert hash(same) == hash(condition)
    assert condition != "fit > 3"
    assert repr(condition) == "Condition('fit > 3')"
