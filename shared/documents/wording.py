"""Sentences for the errors of pydantic, each with how to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from shared.documents.tree import Path


def wording(error: ErrorDetails, model: type[BaseModel]) -> str:
    """The error as `what is wrong; how to mend it`."""
    path, kind, value = error["loc"], error["type"], error["input"]
    if kind == "extra_forbidden":
        known = sorted(_fields_at(model, path[:-1]))
        return f"unknown field `{path[-1]}`; {nearest(str(path[-1]), known, 'the fields here are')}"
    if kind == "missing":
        return f"`{path[-1]}` is missing; add it{_description(model, path, ': ')}"
    if kind in {"literal_error", "enum"}:
        return f"{_quoted(value)} is not known here; write {error.get('ctx', {})['expected']}"
    if kind == "string_type" and isinstance(value, bool | int | float):
        return f"{_quoted(value)} is not text; put it in quotes"
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input ").rstrip(".")
    return f"{_quoted(value)}: {message}{_description(model, path, '; ')}"


def nearest(name: str, known: Iterable[str], introduction: str) -> str:
    """A suggestion: the known name most like this one, or a list of all that are known."""
    known = list(known)
    if close := get_close_matches(name, known, n=1, cutoff=0.6):
        return f"did you mean `{close[0]}`?"
    return f"{introduction}: {', '.join(known) or 'none'}"


def printable(text: str) -> str:
    """The text with escapes for characters that would move a terminal's cursor or change its colours."""
    return "".join(it if it.isprintable() else ascii(it)[1:-1] for it in text)


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


def _description(model: type[BaseModel], path: Path, before: str) -> str:
    name = path[-1] if path else ""
    field = _fields_at(model, path[:-1]).get(str(name))
    return f"{before}{field.description.rstrip('.')}" if field and field.description else ""


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
