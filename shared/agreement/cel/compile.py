"""CEL's own library: conditions compiled, and evaluated over facts of any shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from functools import cache
from math import inf
from typing import Any, NamedTuple

import orjson
from cel_expr_python import cel

Facts = Mapping[str, Any]
"""The values that a condition may read, by name: `lead`, `event`, `fit`, …"""

FAILURES_OF_CEL = (
    ArithmeticError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""The errors that the library, and the conversion of values for it, may raise."""
_TOO_MANY_ROUNDS = "Iteration budget exceeded"
_UNREADABLE_FACTS = ("Non-CEL value", "out of range for")


class CelError(NamedTuple):
    """The message of an evaluation that ended without an answer."""

    message: str


def program(source: str) -> cel.Expression:
    """The compiled source, its types open until it runs, where 7 > 5.5; RuntimeError where it is no CEL."""
    return _environment().compile(source, disable_check=True)


def evaluate(program: cel.Expression, facts: Facts) -> bool | CelError:
    """The answer; what is neither true nor false is false. Facts that CEL cannot read are rare and are made plain."""
    if not _is_json(facts):
        return _evaluate(program, plain(facts))
    try:
        answer = _evaluate(program, facts)
    except RuntimeError as failure:
        if is_out_of_rounds(failure):
            raise
        return _evaluate(program, plain(facts))
    if isinstance(answer, CelError) and any(it in answer.message for it in _UNREADABLE_FACTS):
        return _evaluate(program, plain(facts))
    return answer


def is_out_of_rounds(failure: Exception) -> bool:
    """Whether CEL gave up after too many rounds of loops."""
    return _TOO_MANY_ROUNDS in str(failure)


def without_codes(message: str) -> str:
    """CEL's message without its codes before and behind it."""
    return message.partition(": ")[2].partition(" [")[0] or message


def plain(value: object) -> Any:
    """The value with only what CEL reads.

    Tuples and sets become lists, mappings dicts, integers of more than 64 bits floats, everything else text.
    """
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


def _is_json(facts: Facts) -> bool:
    """Whether CEL may read the facts as they are: it reads all of them, whatever the condition reads.

    It ends the process, beyond the reach of any `except`, at an integer of more than 4,300 digits, and at one beyond
    64 bits that lies very deep. The APIs refuse both; rows and records of older versions may hold them. orjson
    refuses such integers and such depth in a small part of the time of one evaluation.
    """
    try:
        orjson.dumps(facts)
    except orjson.JSONEncodeError:
        return False
    return True


def _evaluate(program: cel.Expression, facts: Facts) -> bool | CelError:
    value = program.eval(data=facts)
    answer = value.value()
    if isinstance(answer, bool):
        return answer
    return CelError(str(answer)) if value.type() == cel.Type.ERROR else False


def _as_float(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        return inf if number > 0 else -inf


@cache
def _environment() -> cel.Env:
    return cel.NewEnv()
