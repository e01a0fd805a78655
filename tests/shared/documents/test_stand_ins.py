"""Faulty parts of a file are replaced, as few as possible, so that the rest can be checked."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from shared.agreement.durations import Duration
from shared.documents.limits import AtMost, Between, OneOrMany, TextForm
from shared.documents.stand_ins import validate_with_stand_ins
from shared.documents.tree import Path

Id = Annotated[str, TextForm("[a-z_0-9]+", name="an id", words="letters", example="a")]
Code = Annotated[str, TextForm(r"\d{4}", name="a code", words="four digits", example="1234")]


class Kind(StrEnum):
    SMALL = "small"


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: Id
    size: Annotated[int, Between(5, 9)]
    weight: Annotated[float, Between(0, 2)]
    ready: bool
    kind: Kind
    format: Literal["a", "b"]
    due: Annotated[Duration, Between(timedelta(0), timedelta(days=2))]
    on: date
    code: Code
    names: Annotated[tuple[Annotated[str, AtMost(9)], ...], AtMost(9)] = Field(min_length=1)
    edges: tuple[int, int]
    codes: tuple[Code, ...] = ()
    tags: Annotated[tuple[Annotated[str, AtMost(5)], ...], OneOrMany({})] = ()
    note: str | None = None
    by_name: dict[Id, int]


class Whole(BaseModel):
    parts: tuple[Part, ...] = Field(min_length=1)
    main: Part | None = None


PART: dict[str, Any] = {
    "id": "one",
    "size": 6,
    "weight": 1,
    "ready": True,
    "kind": "small",
    "format": "b",
    "due": "1h",
    "on": "2026-11-27",
    "code": "0000",
    "names": ["x", "y"],
    "edges": [1, 2],
    "codes": ["1111"],
    "note": "",
    "by_name": {"a": 1},
}


@pytest.mark.parametrize("field", PART)
def test_each_field_can_be_replaced_alone(field: str) -> None:
    value = {"parts": [PART, {**PART, field: {"zzz": []}}]}

    whole, unread = validate_with_stand_ins(Whole, value, ())

    assert whole is not None
    assert {it[:3] for it in unread} == {("parts", 1, field)}
    assert whole.parts[0] == Part.model_validate(PART)
    assert value["parts"][1][field] == {"zzz": []}


@pytest.mark.parametrize(
    ("change", "unread"),
    [
        ({"parts": []}, {("parts",)}),
        ({"parts": 5}, {("parts",)}),
        ({"parts": [5]}, {("parts", 0)}),
        ({"parts": [{}]}, {("parts", 0, it) for it in PART if it not in {"codes", "note"}}),
        ({"parts": [{**PART, "zzz": 1}]}, {("parts", 0, "zzz")}),
        ({"parts": [{**PART, "names": ["x", 5]}]}, {("parts", 0, "names", 1)}),
        ({"parts": [{**PART, "codes": ["1111", "x"]}]}, {("parts", 0, "codes")}),
        ({"parts": [{**PART, "by_name": {"A!": 1}}]}, {("parts", 0, "by_name", "A!")}),
        ({"parts": [{**PART, "by_name": {"a": "x"}}]}, {("parts", 0, "by_name", "a")}),
        ({"parts": [{**PART, "tags": "longer"}]}, {("parts", 0, "tags"), ("parts", 0, "tags", 0)}),
        ({"parts": [PART], "main": 5}, {("main",)}),
    ],
    ids=[
        *("no-part", "parts-no-list", "part-no-mapping", "fields-missing", "field-unknown"),
        *("item-wrong", "code-wrong", "key-wrong", "value-wrong", "only-entry-wrong", "main-wrong"),
    ],
)
def test_the_smallest_part_is_replaced(change: dict[str, Any], unread: set[Path]) -> None:
    whole, paths = validate_with_stand_ins(Whole, change, ())

    assert whole is not None
    assert paths == unread


def test_a_part_that_another_check_could_not_read_is_replaced_too() -> None:
    whole, unread = validate_with_stand_ins(Whole, {"parts": [PART]}, [("parts", 0, "id")])

    assert whole is not None
    assert whole.parts[0].id != "one"
    assert unread == {("parts", 0, "id")}


def test_a_file_that_is_no_mapping_is_replaced_as_a_whole() -> None:
    assert validate_with_stand_ins(Whole, [], ())[1] == {()}
