"""Times in steps, as SQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Float, case, cast, func, literal_column

from services.alignment.domain.time_steps import LONGEST_STEP_S, STEPS

HALF_A_MICROSECOND_S = 5e-7
"""Instants are exact to the microsecond; what a sum of seconds is more than that is an error of floating point."""


def seconds_between(begin: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[float]:
    """The wall time between two instants, in seconds."""
    return cast(func.date_part("epoch", end - begin), Float)


def in_steps(seconds: ColumnElement[float]) -> ColumnElement[int]:
    """The time rounded up to its step, as `seconds_in_steps`; null of null."""
    least = seconds - HALF_A_MICROSECOND_S
    rounded = case(
        (seconds <= 0, _number(0)),
        *((least <= _number(it.limit_s), _up(least, it.step_s)) for it in STEPS),
        else_=_up(least, LONGEST_STEP_S),
    )
    return cast(rounded, BigInteger)


def _up(seconds: ColumnElement[float], step_s: int) -> ColumnElement[float]:
    return func.ceil(seconds / _number(step_s)) * _number(step_s)


def _number(number: int) -> ColumnElement[float]:
    """A number as text of the statement: steps are constants, of which there would be very many parameters."""
    return literal_column(f"{number}::float8", Float)
