"""A condition of the agreement: CEL, compiled once, false where a fact is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from functools import cache, cached_property, partial
from math import inf
from typing import Any, NamedTuple

import orjson
from cel_expr_python import cel
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from shared.agreement.cel.cache import Memory
from shared.agreement.cel.comparisons import bounds_of, within
from shared.agreement.cel.cost import cost_of
from shared.agreement.cel.failures import FAILURES, Cause

MAX_CHARACTERS = 2_000
"""Of a condition's source."""
Facts = Mapping[str, Any]
"""What a condition may speak of: `lead`, `event`, `fit`, …"""


class UntoldFact(LookupError):
    """A condition was asked without something that its place in the agreement promises it: our bug."""


_FAILED = (ArithmeticError, LookupError, MemoryError, RuntimeError, TypeError, ValueError)
"""What CEL, and Python on the way to it, may raise for values and expressions that are too much for them."""
_BUDGET = "Iteration budget exceeded"
_UNREADABLE = ("Non-CEL value", "out of range for")
_UNTOLD = "UNKNOWN: No value with name"
_EXPECTED = (
    "NOT_FOUND: Key not found",
    "UNKNOWN: No matching overloads",
    "UNKNOWN: Index error",
    "INVALID_ARGUMENT: Applying SELECT",
    "INVALID_ARGUMENT: Invalid container type",
)
"""Answers where something is missing or of another kind: they are as good as false, and no failure."""


class Condition:
    """A CEL expression. `holds` is false, never an error, where a value is missing or of another kind.

    So it is where the evaluation fails, or would be too much work; that is counted for the rule, which is
    the condition's place in the agreement, such as `scoring.signals.pricing.when`.
    """

    def __init__(self, source: str, rule: str = "") -> None:
        self.source = source
        self.rule = rule
        self._memory = Memory(source)
        self._bounds = bounds_of(source)
        self._cost = cost_of(source)

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
        program = self._program
        if not self._cost.is_bounded and self._cost.exceeds(self._memory.values(facts)):
            return self._failed(Cause.WORK)
        try:
            answer = _evaluated(program, facts)
        except _FAILED as failure:
            return self._failed(Cause.ITERATIONS if _BUDGET in str(failure) else Cause.ERROR)
        return answer if isinstance(answer, bool) else self._false(answer.message, facts)

    def _false(self, message: str, facts: Facts) -> bool:
        """An error is false; where it is more than something missing, or of another kind, it is counted."""
        if message.startswith(_UNTOLD):
            raise UntoldFact(f"{self!r} was told only of {', '.join(sorted(facts))}")
        return False if message.startswith(_EXPECTED) else self._failed(Cause.ERROR)

    def _failed(self, cause: Cause) -> bool:
        FAILURES.count(self.rule, cause)
        return False

    @cached_property
    def constant(self) -> bool | None:
        """What it is whatever the facts are: `true || x` and `1 > 2` need none; None when it depends, or fails."""
        answer = None if self.fault else _answer(self._program, {})
        return answer if isinstance(answer, bool) else None

    @cached_property
    def fault(self) -> str | None:
        """Why an evaluation fails whatever the facts are, or None."""
        if self._cost.exceeds(()):
            return "more work than is done for one condition"
        try:
            answer = _answer(self._program, {})
        except _FAILED as failure:
            return _words(str(failure))
        if isinstance(answer, bool) or self._cost.asks_facts:
            return None
        return _words(answer.message)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Condition) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)

    def __repr__(self) -> str:
        return f"Condition({self.source!r})"

    def __reduce__(self) -> tuple[type[Condition], tuple[str, str]]:
        return Condition, (self.source, self.rule)

    @classmethod
    def __get_pydantic_core_schema__(cls, _: object, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            lambda said: "true" if said is True else said,
            core_schema.no_info_after_validator_function(
                cls, core_schema.str_schema(max_length=MAX_CHARACTERS)
            ),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda it: it.source),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _: CoreSchema, __: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "format": "cel"}


class _Error(NamedTuple):
    """An answer that is none, in CEL's words."""

    message: str


def _evaluated(program: cel.Expression, facts: Facts) -> bool | _Error:
    """The answer; facts that CEL cannot read as they are, which are rare, are made plain."""
    if not _is_json(facts):
        return _answer(program, plain(facts))
    try:
        answer = _answer(program, facts)
    except RuntimeError as failure:
        if _BUDGET in str(failure):
            raise
        return _answer(program, plain(facts))
    if isinstance(answer, _Error) and any(it in answer.message for it in _UNREADABLE):
        return _answer(program, plain(facts))
    return answer


def _is_json(facts: Facts) -> bool:
    """Whether CEL may see the facts as they are: it reads all of them, whatever the condition asks for.

    It ends the process, beyond the reach of any `except`, at an integer of more than 4,300 digits, and at one beyond
    64 bits that lies very deep. The door lets in neither; rows and records of older versions may hold both. orjson
    refuses such integers and such depth in a small part of the time of one evaluation.
    """
    try:
        orjson.dumps(facts)
    except orjson.JSONEncodeError:
        return False
    return True


def _answer(program: cel.Expression, facts: Facts) -> bool | _Error:
    """True or false, or an error; what is neither is false."""
    value = program.eval(data=facts)
    answer = value.value()
    if isinstance(answer, bool):
        return answer
    return _Error(str(answer)) if value.type() == cel.Type.ERROR else False


def _words(message: str) -> str:
    """CEL's words without its codes."""
    return message.partition(": ")[2].partition(" [")[0] or message


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
            return value if -(2**63) <= value < 2**63 else _as_float(value)
        case Mapping():
            return {str(key): plain(it) for key, it in value.items()}
        case Sequence() | Set():
            return [plain(it) for it in value]
        case _:
            return str(value)


def _as_float(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        return inf if number > 0 else -inf
