"""Sentences for the errors of pydantic, each with how to mend it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from shared.documents.spelling import closest, nearest
from shared.documents.tree import Path
from shared.text import fault_text


def wording(error: ErrorDetails, model: type[BaseModel]) -> str:
    """The error as `what is wrong; how to mend it`."""
    path, kind, value = error["loc"], error["type"], error["input"]
    if kind == "extra_forbidden":
        return _unknown_field(model, path)
    if kind == "missing" and isinstance(path[-1], int):
        return f"a list with too few entries; write at least {path[-1] + 1}"
    if kind == "missing":
        return f"`{path[-1]}` is missing; add it{_description(model, path)}"
    if kind in _SENTENCES:
        return f"{_quoted(value)} {_SENTENCES[kind](error)}"
    message = fault_text(error["msg"]).removeprefix("Input ").rstrip(".")
    return f"{_quoted(value)}: {message}"


def printable(text: str) -> str:
    """The text with escapes for characters that would move a terminal's cursor or change its colours."""
    return "".join(it if it.isprintable() else ascii(it)[1:-1] for it in text)


_DAY_MONTH_YEAR = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


def _date(error: ErrorDetails) -> str:
    return f"is not a date; write {_date_meant(error['input'])}"


def _date_meant(value: object) -> str:
    """The date in the form that files have, where the value can only mean one; else an example."""
    if match := _DAY_MONTH_YEAR.fullmatch(str(value).strip()):
        day, month, year = map(int, match.groups())
        try:
            return date(year, month, day).isoformat()
        except ValueError:
            pass
    return "year-month-day, such as 2026-12-24"


def _instant(error: ErrorDetails) -> str:
    return f"is neither a date nor an instant; write {_date_meant(error['input'])}, or with time and offset"


def _number(_: ErrorDetails) -> str:
    return "is not a number; write such as 10 or 2.5"


def _too_many(error: ErrorDetails) -> str:
    return f"has too many entries; write at most {error.get('ctx', {})['max_length']}"


def _too_few(error: ErrorDetails) -> str:
    return f"has too few entries; write at least {error.get('ctx', {})['min_length']}"


def _choice(error: ErrorDetails) -> str:
    return f"is not known here; write {error.get('ctx', {})['expected']}"


def _text(error: ErrorDetails) -> str:
    in_quotes = isinstance(error["input"], bool | int | float)
    return f"is not text; {'put it in quotes' if in_quotes else 'write one text'}"


_SENTENCES: Mapping[str, Callable[[ErrorDetails], str]] = {
    "literal_error": _choice,
    "enum": _choice,
    "form": lambda it: it["msg"],
    "string_type": _text,
    "string_too_short": lambda _: "is empty; write something",
    "string_too_long": lambda it: (
        f"is too long; write at most {it.get('ctx', {})['max_length']} characters"
    ),
    "model_type": lambda _: "is no mapping; write its fields as `name: value`",
    "model_attributes_type": lambda _: "is no mapping; write its fields as `name: value`",
    "dict_type": lambda _: "is no mapping; write `name: value` lines",
    "tuple_type": lambda _: "is not a list; write `[one, another]`, or a line with `- ` for each",
    "too_short": _too_few,
    "too_long": _too_many,
    "bool_type": lambda _: "is neither true nor false; write one of them",
    "bool_parsing": lambda _: "is neither true nor false; write one of them",
    "float_type": _number,
    "float_parsing": _number,
    "int_type": lambda _: "is not a whole number; write such as 10",
    "int_parsing": lambda _: "is not a whole number; write such as 10",
    "int_from_float": lambda _: "is not a whole number; write such as 10",
    "finite_number": _number,
    "greater_than": lambda it: f"is too small; write more than {it.get('ctx', {})['gt']:g}",
    "greater_than_equal": lambda it: f"is too small; write at least {it.get('ctx', {})['ge']:g}",
    "less_than": lambda it: f"is too large; write less than {it.get('ctx', {})['lt']:g}",
    "less_than_equal": lambda it: f"is too large; write at most {it.get('ctx', {})['le']:g}",
    "date_type": _date,
    "date_parsing": _date,
    "date_from_datetime_parsing": _date,
    "date_from_datetime_inexact": _date,
    "datetime_type": _instant,
    "datetime_parsing": _instant,
    "datetime_from_date_parsing": _instant,
    "timezone_aware": lambda _: "has no offset from UTC; write such as 2026-12-24T12:00:00+01:00",
}
"""What to say of a value, after the value itself, by the type of pydantic's error."""


def _unknown_field(model: type[BaseModel], path: Path) -> str:
    name = str(path[-1])
    fields = [it.alias or key for key, it in _fields_at(model, path[:-1]).items()]
    if closest(name, fields) is None:
        for section, known in _fields_below(model, ()):
            if closest(name, [known]) is not None:
                return f"unknown field `{name}`; did you mean `{known}` of `{section}`?"
    return f"unknown field `{name}`; {nearest(name, fields, 'the fields here are')}"


def _fields_below(kind: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Each field that stands in a section, with the section's path in files."""
    kind = _bare(kind)
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        for inner in get_args(kind):
            yield from _fields_below(inner, path)
        return
    for name, field in kind.model_fields.items():
        if path:
            yield ".".join(path), field.alias or name
        yield from _fields_below(field.annotation, (*path, name))


def _quoted(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case bool():
            return str(value).lower()
        case _:
            text = str(value)
            return f"`{text[:60]}…`" if len(text) > 60 else f"`{text}`"


def _description(model: type[BaseModel], path: Path) -> str:
    field = _fields_at(model, path[:-1]).get(str(path[-1]) if path else "")
    return f": {field.description.rstrip('.')}" if field and field.description else ""


def _fields_at(model: type[BaseModel], path: Path) -> dict[str, FieldInfo]:
    kind: Any = model
    for part in path:
        kind = _inner(_bare(kind), part)
    kind = _bare(kind)
    return kind.model_fields if isinstance(kind, type) and issubclass(kind, BaseModel) else {}


def _inner(kind: Any, part: str | int) -> Any:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        field = kind.model_fields.get(str(part))
        return field.annotation if field else NoneType
    inner = [it for it in get_args(kind) if it is not Ellipsis]
    return inner[-1] if inner else NoneType


def _bare(kind: Any) -> Any:
    """The type without Annotated and without `| None`."""
    while get_origin(kind) is Annotated or NoneType in get_args(kind):
        kind = next(it for it in get_args(kind) if it is not NoneType)
    return kind
