"""Stand-ins for the faulty parts of a file, so that the rest of it can be read and checked.

A part that its model refuses is left out where the model has a default, and otherwise replaced by a value that the
model takes. Entries of lists keep their index.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from itertools import count
from types import NoneType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from shared.documents.limits import Between, TextForm
from shared.documents.tree import Path

M = TypeVar("M", bound=BaseModel)

MAX_ROUNDS = 20
"""So often parts are replaced before a file counts as unreadable."""
_NOTHING = object()
_UNREAD = "unread"
"""Texts that stand for others begin with this; each is another one."""


def causes(invalid: ValidationError) -> list[ErrorDetails]:
    """The errors but those of lists that are too short only because their entries were refused, each with an error."""
    return [
        it
        for it in invalid.errors()
        if it["type"] != "too_short" or len(it["input"]) < it.get("ctx", {}).get("min_length", 0)
    ]


def validate_with_stand_ins(
    model: type[M], value: Any, unread: Iterable[Path]
) -> tuple[M | None, frozenset[Path]]:
    """The value as one of the model, with stand-ins for its faulty parts and the unread ones, and the paths of these.

    It is None where too little of the value can be read.
    """
    repair = _Repair(model, deepcopy(value))
    repair.replace(unread)
    for _ in range(MAX_ROUNDS):
        try:
            return model.model_validate(repair.value), frozenset(repair.replaced)
        except ValidationError as invalid:
            repair.replace(it["loc"] for it in causes(invalid))
    return None, frozenset(repair.replaced)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a file that can be replaced."""

    path: Path
    stand_in: Any
    """The value to put there, or _NOTHING to leave the part out."""


class _Repair:
    def __init__(self, model: type[BaseModel], value: Any) -> None:
        self.value = value
        self.replaced: set[Path] = set()
        self._model = model
        self._numbers = count(1)

    def replace(self, paths: Iterable[Path]) -> None:
        """Replace the smallest part with each path that can be replaced, or, if it was before, the one around it."""
        before = set(self.replaced)
        for path in paths:
            is_key = path[-1:] == ("[key]",)  # pydantic's name for the key itself
            if any(path[: len(it)] == it for it in self.replaced - before):
                continue  # what is around it has been replaced just now
            candidates = self._parts(path[:-1] if is_key else path)
            parts = [it for it in candidates if it.path not in before]
            if parts:
                self._put(parts[-1])

    def _put(self, part: _Part) -> None:
        self.replaced.add(part.path)
        if not part.path:
            self.value = part.stand_in
            return
        container = self.value
        for name in part.path[:-1]:
            container = container[name]
        if isinstance(container, str):
            return  # the only entry of a list, written without it; the list is replaced in the next round
        if part.stand_in is not _NOTHING:
            container[part.path[-1]] = part.stand_in
        elif isinstance(container, dict):
            container.pop(part.path[-1], None)

    def _parts(self, path: Path) -> Iterator[_Part]:
        """The parts that contain this path, from the whole file down to the smallest one."""
        kind: Any = self._model
        metadata: tuple[Any, ...] = ()
        yield _Part((), self._stand_in(kind, ()))
        for length, name in enumerate(path, start=1):
            kind, more = _bare(kind)
            metadata += more
            part_path = path[:length]
            if _is_model(kind):
                field = _field(kind, str(name))
                if field is None:
                    yield _Part(part_path, _NOTHING)
                    return
                yield _Part(part_path, self._of_field(field))
                kind, metadata = field.annotation, tuple(field.metadata)
            elif get_origin(kind) is dict:
                yield _Part(part_path, _NOTHING)
                kind, metadata = get_args(kind)[1], ()
            elif get_origin(kind) is tuple and _has_entries_apart(kind):
                kind, metadata = get_args(kind)[0], ()
                yield _Part(part_path, self._stand_in(kind, ()))
            else:
                return

    def _of_field(self, field: FieldInfo) -> Any:
        if not field.is_required():
            return _NOTHING
        return self._stand_in(field.annotation, field.metadata)

    def _stand_in(self, kind: Any, metadata: Sequence[Any]) -> Any:
        """A value of the type that its file may hold."""
        kind, more = _bare(kind)
        metadata = (*metadata, *more)
        for constraint in metadata:
            if _needs_example(constraint):
                return constraint.example
        if _is_model(kind):
            return {
                field.alias or name: self._of_field(field)
                for name, field in kind.model_fields.items()
                if field.is_required()
            }
        if get_origin(kind) is tuple:
            return self._list(get_args(kind), metadata)
        if get_origin(kind) is Literal:
            return get_args(kind)[0]
        if isinstance(kind, type) and issubclass(kind, Enum):
            return next(iter(kind)).value
        return _SCALARS[kind](metadata) if kind in _SCALARS else self._text_or_mapping(kind)

    def _list(self, kinds: tuple[Any, ...], metadata: Sequence[Any]) -> list[Any]:
        if Ellipsis not in kinds:
            return [self._stand_in(it, ()) for it in kinds]
        shortest = max((getattr(it, "min_length", None) or 0 for it in metadata), default=0)
        return [self._stand_in(kinds[0], ()) for _ in range(shortest)]

    def _text_or_mapping(self, kind: Any) -> Any:
        return {} if get_origin(kind) is dict else f"{_UNREAD}_{next(self._numbers)}"


def _number(metadata: Sequence[Any]) -> float:
    for constraint in metadata:
        if isinstance(constraint, Between):
            return float(constraint.minimum) if constraint.minimum else 1.0
    return 1.0


_SCALARS: Mapping[Any, Any] = {
    bool: lambda _: False,
    int: lambda metadata: int(_number(metadata)),
    float: _number,
    timedelta: lambda _: "1d",
    date: lambda _: "2026-01-01",
}


def _has_entries_apart(kind: Any) -> bool:
    """Whether an entry of the list can be replaced without meaning for the others: a section, or any text."""
    inner, metadata = _bare(get_args(kind)[0])
    is_any_text = inner is str and not any(_needs_example(it) for it in metadata)
    return Ellipsis in get_args(kind) and (_is_model(inner) or is_any_text)


def _needs_example(metadata: Any) -> bool:
    return isinstance(metadata, TextForm) and not re.fullmatch(metadata.pattern, _UNREAD)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _field(model: type[BaseModel], name: str) -> FieldInfo | None:
    """The field with this name in files."""
    return next(
        (it for key, it in model.model_fields.items() if name == (it.alias or key)),
        None,
    )


def _bare(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """The type without Annotated and without `| None`, and the metadata of Annotated."""
    metadata: tuple[Any, ...] = ()
    while get_origin(kind) is Annotated or NoneType in get_args(kind):
        if get_origin(kind) is Annotated:
            kind, *more = get_args(kind)
            for constraint in more:
                is_field = isinstance(constraint, FieldInfo)
                metadata += tuple(constraint.metadata) if is_field else (constraint,)
        else:
            kind = next(it for it in get_args(kind) if it is not NoneType)
    return kind, metadata
