"""Tests that every field of the agreement, the file of reps and the settings has a bound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import date, datetime, timedelta
from enum import Enum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest
from pydantic import AwareDatetime, BaseModel, Field, SecretStr, create_model
from pydantic.fields import FieldInfo

from services.routing.roster_file import RosterFile
from shared.agreement.cel.condition import Condition
from shared.agreement.model import Agreement, Window
from shared.documents.limits import AtMost, Between
from shared.process.settings import Settings

COUNTABLE = (int, float, timedelta, date, datetime)
BOUNDED = (bool, NoneType, Enum, Condition, IPv4Network, IPv6Network, Path)
"""Types with a bound of their own; the operating system bounds paths."""


def unbounded(model: type[BaseModel], path: str = "") -> Iterator[str]:
    """The fields that take numbers, texts or lists of any size."""
    for name, field in model.model_fields.items():
        yield from _open(field.annotation, field.metadata, f"{path or model.__name__}.{name}")


def _open(kind: Any, metadata: Sequence[Any], path: str) -> Iterator[str]:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        yield from _open(inner[0], [*metadata, *inner[1:]], path)
    elif origin is Literal:
        return
    elif isinstance(kind, type) and origin is None and not issubclass(kind, list | dict | tuple):
        yield from _open_value(kind, metadata, path)
    elif isinstance(origin, type) and issubclass(origin, Sequence | Set | Mapping):
        yield from _open_entries(origin, inner, metadata, path)
    elif inner:
        for argument in inner:
            yield from _open(argument, metadata, path)
    else:
        yield path


def _open_entries(
    origin: type, inner: Sequence[Any], metadata: Sequence[Any], path: str
) -> Iterator[str]:
    if not _has_length(metadata) and (Ellipsis in inner or origin is not tuple):
        yield path
    for argument in inner:
        yield from () if argument is Ellipsis else _open(argument, (), f"{path}[]")


def _open_value(kind: type, metadata: Sequence[Any], path: str) -> Iterator[str]:
    if issubclass(kind, BaseModel):
        yield from unbounded(kind, f"{path}.{kind.__name__}")
    elif issubclass(kind, BOUNDED):
        return
    elif issubclass(kind, COUNTABLE) or kind is AwareDatetime:
        if not _has_both_ends(metadata):
            yield path
    elif not (issubclass(kind, str | SecretStr) and _has_length(metadata)):
        yield path


def _parts(metadata: Sequence[Any]) -> list[Any]:
    return [
        part for it in metadata for part in (it.metadata if isinstance(it, FieldInfo) else [it])
    ]


def _has_length(metadata: Sequence[Any]) -> bool:
    return any(
        isinstance(it, AtMost) or getattr(it, "max_length", None) is not None
        for it in _parts(metadata)
    )


def _has_both_ends(metadata: Sequence[Any]) -> bool:
    parts = _parts(metadata)
    ends = [
        any(getattr(it, name, None) is not None for it in parts for name in names)
        for names in (("ge", "gt"), ("le", "lt"))
    ]
    return any(isinstance(it, Between) for it in parts) or all(ends)


@pytest.mark.parametrize("model", [Agreement, RosterFile, Settings])
def test_every_field_has_a_bound(model: type[BaseModel]) -> None:
    assert list(unbounded(model)) == []


NEW = {"Wider.new", "Wider.new.Inner.text"}


class Inner(BaseModel):
    text: str


@pytest.mark.parametrize(
    "kind",
    [
        str,
        int,
        float,
        timedelta,
        date,
        AwareDatetime,
        date | AwareDatetime,
        str | None,
        Any,
        list,
        dict,
        SecretStr,
        Inner,
        Annotated[str, Field(min_length=1)],
        Annotated[int, Field(ge=1)],
        Annotated[float, Field(lt=1)],
        tuple[Window, ...],
        Annotated[tuple[str, ...], AtMost(3)],
        Annotated[dict[str, bool], AtMost(3)],
        Annotated[dict[Window, str], AtMost(3)],
        dict[Window, bool],
        tuple[int, int],
        Annotated[frozenset[str], AtMost(3)],
        Annotated[Inner | None, AtMost(3)],
        Annotated[tuple[Inner, ...], AtMost(3)],
    ],
    ids=str,
)
def test_a_new_field_without_a_bound_is_reported(kind: Any) -> None:
    wider = create_model("Wider", __base__=Agreement, new=(kind, ...))

    assert {path.partition("[")[0] for path in unbounded(wider)} <= NEW
    assert list(unbounded(wider))


@pytest.mark.parametrize(
    "kind",
    [
        bool,
        Literal["a", "b"],
        Window | None,
        Annotated[int, Field(ge=1, lt=5)],
        Annotated[date | AwareDatetime, Between(date(2000, 1, 1), date(2100, 1, 1))],
        Annotated[dict[Window, Annotated[str, AtMost(2)]], Field(max_length=3)],
        tuple[Window, Window],
    ],
    ids=str,
)
def test_a_new_field_with_a_bound_is_none(kind: Any) -> None:
    assert list(unbounded(create_model("Wider", __base__=Agreement, new=(kind, ...)))) == []
