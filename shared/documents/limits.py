"""Bounds of what a file may say: ranges of numbers, durations and dates, lengths of texts and lists, forms of texts.

A file that was accepted by an older version, before a field had its bound, stays readable: with `LENIENT` as the
context of the validation a number beyond its bound becomes the bound, and lengths are not checked.
"""

from __future__ import annotations

import re
from collections.abc import Sized
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from shared.text import unstorable_at

LENIENT = {"lenient": True}
"""The context of validation for a file that an older version accepted."""


@dataclass(frozen=True, slots=True)
class Between:
    """A number, a duration or a date from `minimum` to `maximum`, both included; None passes."""

    minimum: Any
    maximum: Any

    def __str__(self) -> str:
        return f"{as_in_files(self.minimum)} to {as_in_files(self.maximum)}"

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.with_info_after_validator_function(self._bounded, handler(source))

    def _bounded(self, value: Any, info: ValidationInfo) -> Any:
        if value is None or self.minimum <= _comparable(value) <= self.maximum:
            return value
        if info.context == LENIENT:
            return self.maximum if _comparable(value) > self.maximum else self.minimum
        raise PydanticCustomError("out_of_bounds", "write {bounds}", {"bounds": f"{self}"})

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        described = handler(schema)
        if isinstance(self.minimum, int | float):
            described |= {"minimum": self.minimum, "maximum": self.maximum}
        return described


@dataclass(frozen=True, slots=True)
class AtMost:
    """A text of at most `length` characters, all of which PostgreSQL can store, or at most `length` entries."""

    length: int

    def __str__(self) -> str:
        return f"at most {self.length}"

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.with_info_after_validator_function(self._bounded, handler(source))

    def _bounded(self, value: Any, info: ValidationInfo) -> Any:
        if info.context == LENIENT or not isinstance(value, Sized):
            return value
        if len(value) > self.length:
            what = "characters" if isinstance(value, str) else "entries"
            raise PydanticCustomError(
                "longer_than_fits",
                "{there} {what} are more than the {length} that fit; shorten it",
                {"there": len(value), "what": what, "length": self.length},
            )
        if isinstance(value, str) and (index := unstorable_at(value)) is not None:
            raise PydanticCustomError(
                "unstorable",
                "character {at} cannot be stored; delete it",
                {"at": index + 1},
            )
        return value

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        described = handler(schema)
        keyword = _LENGTHS.get(str(described.get("type")))
        return {**described, keyword: self.length} if keyword else described


_LENGTHS = {"string": "maxLength", "array": "maxItems", "object": "maxProperties"}


@dataclass(frozen=True, slots=True)
class OneOrMany:
    """A list that a file may also write as its only entry; nothing is an empty list.

    `entry` is the JSON Schema of an entry.
    """

    entry: JsonSchemaValue

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_as_list, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [self.entry, handler(schema), {"type": "null"}]}


def _as_list(value: object) -> object:
    if value is None:
        return []
    return [value] if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class TextForm:
    """A text that matches a pattern as a whole; a fault says `is not NAME; write WORDS`."""

    pattern: str
    name: str
    words: str
    example: str

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._formed, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), "pattern": f"^(?:{self.pattern})$", "description": self.words}

    def _formed(self, value: str) -> str:
        if re.fullmatch(self.pattern, value):
            return value
        raise PydanticCustomError(
            "form", "is not {name}; write {words}", {"name": self.name, "words": self.words}
        )


def _comparable(value: Any) -> Any:
    """The date of an instant, where a field takes both."""
    return value.date() if isinstance(value, datetime) else value


def as_in_files(bound: object) -> str:
    """A bound as files have it: `15m` for a duration."""
    match bound:
        case timedelta():
            seconds = round(bound.total_seconds())
            units = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
            return next(f"{seconds // size}{it}" for it, size in units if seconds % size == 0)
        case date():
            return bound.isoformat()
        case int():
            return str(bound)
        case _:
            return f"{bound:g}"
