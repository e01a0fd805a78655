"""A condition of the agreement: CEL, compiled once, false where a fact is missing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import cel
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

Facts = Mapping[str, Any]
"""What a condition may speak of: `lead`, `event`, `fit`, …"""


class Condition:
    """A CEL expression. `holds` is false, never an error, where a trait is missing."""

    def __init__(self, source: str) -> None:
        self.source = source

    @cached_property
    def _program(self) -> cel.Program:
        return cel.compile(self.source)

    def holds(self, facts: Facts) -> bool:
        """Whether it is true of these facts."""
        try:
            return self._program.execute(dict(facts)) is True
        except (KeyError, TypeError, ValueError, RuntimeError):
            return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Condition) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)

    def __repr__(self) -> str:
        return f"Condition({self.source!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, _: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            lambda said: cls("true" if said is True else said),
            core_schema.union_schema(
                [core_schema.str_schema(max_length=2000), core_schema.literal_schema([True])]
            ),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda it: it.source),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _: CoreSchema, __: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "format": "cel"}
