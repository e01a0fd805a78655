"""A condition of the agreement: CEL, compiled once, false where a fact is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from functools import cache, cached_property, partial
from typing import Any

from cel_expr_python import cel
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from shared.agreement.bounds import bounds_of, within
from shared.agreement.reading import Memory

Facts = Mapping[str, Any]
"""What a condition may speak of: `lead`, `event`, `fit`, …"""


class UntoldFact(LookupError):
    """A condition was asked without something that its place in the agreement promises it: our bug."""


class Condition:
    """A CEL expression. `holds` is false, never an error, where a value is missing or of another kind."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._memory = Memory(source)
        self._bounds = bounds_of(source)

    @cached_property
    def _program(self) -> cel.Expression:
        return program(self.source)

    def holds(self, facts: Facts) -> bool:
        """Whether it is true of these facts; every name of its context must be there, None if unknown."""
        answer = within(self._bounds, facts) if self._bounds else None
        if answer is not None:
            return answer
        return self._memory.recall(facts, partial(self._worked_out, facts))

    def _worked_out(self, facts: Facts) -> bool:
        try:
            answer = self._program.eval(data=facts).value()
        except RuntimeError as unreadable:
            answer = f"Non-CEL value: {unreadable}"
        return answer if isinstance(answer, bool) else self._without(str(answer), facts)

    @cached_property
    def constant(self) -> bool | None:
        """What it is whatever the facts are: `true || x` and `1 > 2` need none; None when it depends."""
        answer = self._program.eval(data={}).value()
        return answer if isinstance(answer, bool) else None

    def _without(self, told: str, facts: Facts) -> bool:
        """The rare way: facts that CEL cannot read as they are, and errors, which are false."""
        if "Non-CEL value" in told or "out of range for" in told:
            return self._program.eval(data=plain(facts)).value() is True
        if "No value with name" in told:
            raise UntoldFact(f"{self!r} was told only of {', '.join(sorted(facts))}")
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Condition) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)

    def __repr__(self) -> str:
        return f"Condition({self.source!r})"

    def __reduce__(self) -> tuple[type[Condition], tuple[str]]:
        return Condition, (self.source,)

    @classmethod
    def __get_pydantic_core_schema__(cls, _: object, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            lambda said: "true" if said is True else said,
            core_schema.no_info_after_validator_function(
                cls, core_schema.str_schema(max_length=2000)
            ),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda it: it.source),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _: CoreSchema, __: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "format": "cel"}


def program(source: str) -> cel.Expression:
    """Compiled with every type left open until it runs, where 7 > 5.5; RuntimeError where it is no CEL."""
    return _environment().compile(source, disable_check=True)


@cache
def _environment() -> cel.Env:
    return cel.NewEnv()


def plain(value: object) -> Any:
    """As CEL reads it: lists for tuples and sets, dicts for mappings, floats for huge integers, text for the rest."""
    match value:
        case None | bool() | float():
            return value
        case str():
            return value.encode(errors="replace").decode()
        case int():
            return value if abs(value) < 2**63 else float(value)
        case Mapping():
            return {str(key): plain(it) for key, it in value.items()}
        case Sequence() | Set():
            return [plain(it) for it in value]
        case _:
            return str(value)
