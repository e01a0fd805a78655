"""Times are counted in steps, always rounded up, so that the sums of a day stay small however many leads it has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from math import ceil
from typing import NamedTuple

MINUTE, HOUR, DAY = 60, 3600, 86_400


class Step(NamedTuple):
    """How finely times up to a limit are counted."""

    limit_s: int
    step_s: int


STEPS = (
    Step(2 * MINUTE, 1),
    Step(10 * MINUTE, 5),
    Step(HOUR, 30),
    Step(6 * HOUR, MINUTE),
    Step(DAY, 5 * MINUTE),
    Step(7 * DAY, HOUR // 2),
    Step(30 * DAY, 2 * HOUR),
)
"""The steps of times; each limit is a multiple of its own step and of the next one."""
LONGEST_STEP_S = DAY
"""The step of times beyond the last limit."""
MICROSECONDS = 1_000_000


def seconds_in_steps(time: timedelta) -> int:
    """The time in seconds, rounded up to its step; none is less than nothing."""
    microseconds = max(time, timedelta()) // timedelta(microseconds=1)
    step_s = next(
        (it.step_s for it in STEPS if microseconds <= it.limit_s * MICROSECONDS), LONGEST_STEP_S
    )
    return -(-microseconds // (step_s * MICROSECONDS)) * step_s


def is_on_step(time: timedelta) -> bool:
    """Whether rounding leaves this time as it is, so that times compare with it as they do exactly."""
    return timedelta(seconds=seconds_in_steps(time)) == time


def nearest_rank(counts: Mapping[int, int], p: float) -> int | None:
    """The least of these times up to which the share `p` of them lies, given how many there are of each; None of none.

    It is what `percentile_disc` of SQL says.
    """
    rank = max(ceil(p * sum(counts.values())), 1)
    for time in sorted(counts):
        rank -= counts[time]
        if rank <= 0:
            return time
    return None
