"""The fields of a file's model in Markdown: a section for each of its sections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from enum import Enum
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo

from shared.documents.limits import AtMost, Between


def sections(first: type[BaseModel]) -> Iterator[str]:
    """Each section in the order of the file, with its fields."""
    for section in dict.fromkeys(_all_sections(first)):
        yield from _section(section)


def _all_sections(first: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield first
    for field in first.model_fields.values():
        for inner in _within(field.annotation):
            yield from _all_sections(inner)


def _section(section: type[BaseModel]) -> Iterator[str]:
    yield f"## {section.__name__}\n"
    yield f"{section.__doc__}\n"
    yield "| field | is | by default | |"
    yield "|---|---|---|---|"
    for name, field in section.model_fields.items():
        cells = (
            f"`{field.alias or name}`",
            _kind(field.annotation) + _bounds(field.metadata),
            _default(field),
        )
        yield f"| {' | '.join(cells)} | {field.description or ''} |"
    yield ""


def _within(kind: Any) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for argument in get_args(kind):
        yield from _within(argument)


_WORDS: dict[Any, str] = {
    str: "text",
    float: "number",
    int: "whole number",
    bool: "true or false",
    date: "date",
    timedelta: "duration",
    AwareDatetime: "instant",
}


def _kind(kind: Any) -> str:
    if kind in _WORDS:
        return _WORDS[kind]
    if not isinstance(kind, type) or get_origin(kind):
        return _composed(get_origin(kind), [it for it in get_args(kind) if it is not NoneType])
    if issubclass(kind, Enum):
        return _choice([it.value for it in kind])
    name = kind.__name__.lower()
    return f"[{kind.__name__}](#{name})" if issubclass(kind, BaseModel) else name


def _composed(origin: Any, inner: list[Any]) -> str:
    if origin is Annotated:
        kind, *metadata = inner
        bounds = _bounds(metadata).removeprefix(", ")
        return f"{_kind(kind)} ({bounds})" if bounds else _kind(kind)
    if origin is Literal:
        return _choice(inner)
    if origin is dict:
        return f"mapping of {_kind(inner[0])} to {_kind(inner[1])}"
    if origin is tuple:
        many = "list of" if Ellipsis in inner else f"list of {len(inner)}:"
        return f"{many} {_kind(inner[0])}"
    return " or ".join(map(_kind, inner))


def _choice(values: list[Any]) -> str:
    return " or ".join(f"`{it}`" for it in values)


def _bounds(metadata: Sequence[Any]) -> str:
    signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    bounds = []
    for constraint in metadata:
        if isinstance(constraint, Between | AtMost):
            bounds.append(str(constraint))
        elif isinstance(constraint, FieldInfo):
            bounds += filter(None, [_bounds(constraint.metadata).removeprefix(", ")])
        bounds += [
            f"{sign} {getattr(constraint, name):g}"
            for name, sign in signs.items()
            if getattr(constraint, name, None) is not None
        ]
    return f", {', '.join(bounds)}" if bounds else ""


def _default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True, validated_data={})
    match default:
        case _ if field.is_required():
            return "**required**"
        case None:
            return ""
        case timedelta():
            return f"`{_duration(default)}`"
        case BaseModel() | dict() | ():
            return ""
        case tuple():
            return "`" + ", ".join(_plain(it) for it in default) + "`"
        case _:
            return f"`{_plain(default)}`"


def _plain(value: object) -> str:
    if isinstance(value, BaseModel):
        fields = value.model_dump(exclude_unset=True)
        return ", ".join(f"{name}: {_plain(it)}" for name, it in fields.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def _duration(length: timedelta) -> str:
    return f"{length.days}d" if length.days else f"{length.seconds}s"
