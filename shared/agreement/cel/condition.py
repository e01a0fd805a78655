"""A condition of the agreement: CEL, compiled once, false where a fact is missing."""

from __future__ import annotations

from functools import cached_property, partial

from cel_expr_python import cel
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from shared.agreement.cel.cache import AnswerCache
from shared.agreement.cel.comparisons import bounds_of, within
from shared.agreement.cel.compile import (
    FAILURES_OF_CEL,
    CelError,
    Facts,
    evaluate,
    is_out_of_rounds,
    program,
    without_codes,
)
from shared.agreement.cel.cost import cost_of
from shared.agreement.cel.failures import FAILURES, Cause

MAX_CHARACTERS = 2_000
"""Of a condition's source."""
_MISSING_NAME = "UNKNOWN: No value with name"
_NO_FAILURES = (
    "NOT_FOUND: Key not found",
    "UNKNOWN: No matching overloads",
    "UNKNOWN: Index error",
    "INVALID_ARGUMENT: Applying SELECT",
    "INVALID_ARGUMENT: Invalid container type",
)
"""Errors of CEL where a value is missing or of another kind: the condition is false, and nothing has failed."""


class MissingFact(LookupError):
    """A condition was evaluated without a name that its context has, which is a bug."""


class Condition:
    """A CEL expression. `holds` is false, never an error, where a value is missing or of another kind.

    It is false too where the evaluation fails, or would be too much work; that is counted for the rule, which is
    the condition's path in the agreement, such as `scoring.signals.pricing.when`.
    """

    def __init__(self, source: str, rule: str = "") -> None:
        self.source = source
        self.rule = rule
        self._answers = AnswerCache(source)
        self._bounds = bounds_of(source)
        self._cost = cost_of(source)

    def holds(self, facts: Facts) -> bool:
        """Whether the condition is true of these facts. Every name of its context must be there."""
        answer = within(self._bounds, facts) if self._bounds else None
        if answer is not None:
            return answer
        return self._answers.recall(facts, partial(self._evaluate, facts))

    @cached_property
    def constant(self) -> bool | None:
        """The answer of a condition that needs no facts, such as `true || x` or `1 > 2`; else, or if it fails, None."""
        answer = None if self.fault else evaluate(self._program, {})
        return answer if isinstance(answer, bool) else None

    @cached_property
    def fault(self) -> str | None:
        """Why an evaluation fails whatever the facts are, or None."""
        if self._cost.exceeds(()):
            return "more work than is done for one condition"
        try:
            answer = evaluate(self._program, {})
        except FAILURES_OF_CEL as failure:
            return without_codes(str(failure))
        if isinstance(answer, bool) or self._cost.reads_facts:
            return None
        return without_codes(answer.message)

    @cached_property
    def _program(self) -> cel.Expression:
        return program(self.source)

    def _evaluate(self, facts: Facts) -> bool:
        program = self._program
        if not self._cost.is_bounded and self._cost.exceeds(self._answers.values(facts)):
            return self._failed(Cause.WORK)
        try:
            answer = evaluate(program, facts)
        except FAILURES_OF_CEL as failure:
            return self._failed(Cause.ITERATIONS if is_out_of_rounds(failure) else Cause.ERROR)
        return answer if isinstance(answer, bool) else self._false(answer, facts)

    def _false(self, error: CelError, facts: Facts) -> bool:
        """False; the error is counted unless a value is only missing, or of another kind."""
        if error.message.startswith(_MISSING_NAME):
            names = ", ".join(sorted(facts))
            raise MissingFact(f"{self!r} was evaluated with nothing but {names}")
        return False if error.message.startswith(_NO_FAILURES) else self._failed(Cause.ERROR)

    def _failed(self, cause: Cause) -> bool:
        FAILURES.count(self.rule, cause)
        return False

    def __eq__(self, value: object) -> bool:
        return isinstance(value, Condition) and value.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)

    def __repr__(self) -> str:
        return f"Condition({self.source!r})"

    def __reduce__(self) -> tuple[type[Condition], tuple[str, str]]:
        return Condition, (self.source, self.rule)

    @classmethod
    def __get_pydantic_core_schema__(cls, _: object, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            lambda value: "true" if value is True else value,
            core_schema.no_info_after_validator_function(
                cls, core_schema.str_schema(max_length=MAX_CHARACTERS)
            ),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda it: it.source),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _: CoreSchema, __: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": ["string", "boolean"], "maxLength": MAX_CHARACTERS}
