"""A value beyond its bound is refused with the bound, or moved to the bound in files that were accepted before."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from math import inf, nan
from typing import Annotated, Any

import pytest
from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from shared.documents.limits import LENIENT, AtMost, Between, OneOrMany, as_in_files


class Limited(BaseModel):
    number: Annotated[float, Between(0.5, 1000)] = 1.0
    length: Annotated[timedelta, Between(timedelta(minutes=1), timedelta(days=2))] | None = None
    on: Annotated[date | AwareDatetime, Between(date(2000, 1, 1), date(2100, 12, 31))] | None = None
    text: Annotated[str, AtMost(5)] = ""
    texts: Annotated[tuple[Annotated[str, AtMost(5)], ...], AtMost(2)] = ()
    names: Annotated[tuple[Annotated[str, AtMost(5)], ...], OneOrMany({}), AtMost(2)] = ()
    by_name: dict[Annotated[str, AtMost(5)], bool] = Field(default_factory=dict)


NEW_YEAR = datetime(2101, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "value", "message", "kept"),
    [
        ("number", 0.4, "write 0.5 to 1000", 0.5),
        ("number", 1000.1, "write 0.5 to 1000", 1000),
        ("number", inf, "write 0.5 to 1000", 1000),
        ("number", nan, "write 0.5 to 1000", 0.5),
        ("length", timedelta(0), "write 1m to 2d", timedelta(minutes=1)),
        ("length", timedelta.max, "write 1m to 2d", timedelta(days=2)),
        ("on", date(1, 1, 1), "write 2000-01-01 to 2100-12-31", date(2000, 1, 1)),
        ("on", NEW_YEAR, "write 2000-01-01 to 2100-12-31", date(2100, 12, 31)),
        ("text", "sixsix", "6 characters are more than the 5 that fit; shorten it", "sixsix"),
        ("text", "a\0b", "character 2 cannot be stored; delete it", "a\0b"),
        ("texts", ["a", "b", "c"], "3 entries are more than the 2 that fit; shorten it", ("a", "b", "c")),
        ("texts", ["sixsix"], "6 characters are more than the 5 that fit; shorten it", ("sixsix",)),
        ("names", "sixsix", "6 characters are more than the 5 that fit", ("sixsix",)),
        ("names", ["a", "b", "c"], "3 entries are more than the 2 that fit", ("a", "b", "c")),
        ("by_name", {"sixsix": True}, "6 characters are more than", {"sixsix": True}),
    ],
)  # fmt: skip
def test_a_value_beyond_the_bound(field: str, value: Any, message: str, kept: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        Limited.model_validate({field: value})
    [error] = caught.value.errors()
    assert error["msg"].startswith(message)

    assert getattr(Limited.model_validate({field: value}, context=LENIENT), field) == kept


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", 0.5),
        ("number", 1000.0),
        ("length", None),
        ("length", timedelta(days=2)),
        ("on", date(2100, 12, 31)),
        ("on", NEW_YEAR - timedelta(seconds=1)),
        ("text", "fives"),
        ("texts", ("a", "b")),
    ],
)
def test_a_value_within_the_bound(field: str, value: Any) -> None:
    assert getattr(Limited.model_validate({field: value}), field) == value


@pytest.mark.parametrize(
    ("bound", "text"),
    [
        (timedelta(0), "0d"),
        (timedelta(seconds=90), "90s"),
        (timedelta(hours=36), "36h"),
        (0.001, "0.001"),
        (1_000_000, "1000000"),
    ],
)
def test_a_bound_is_shown_as_files_have_it(bound: object, text: str) -> None:
    assert as_in_files(bound) == text


@pytest.mark.parametrize(
    ("value", "entries"),
    [("a", ("a",)), (["a"], ("a",)), (["a", "b"], ("a", "b")), ([], ()), (None, ())],
)
def test_a_list_may_be_written_as_its_only_entry(value: Any, entries: tuple[str, ...]) -> None:
    assert Limited.model_validate({"names": value}).names == entries
