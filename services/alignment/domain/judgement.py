"""Judgement of promises to date: what was promised, what is due by now, and what was counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from services.alignment.domain.measures import Figure
from services.alignment.domain.working_days import WorkingDays
from shared.agreement.model import Measure, Promise

Verdict = Literal["ahead", "on_track", "behind", "met", "missed", "too_few", "unknown", "not_begun"]
"""While the period lasts: ahead, on track or behind; after it: met or missed. The rest is no judgement."""

GROWING = frozenset({Measure.QUALIFIED, Measure.QUALIFIED_VALUE})
"""Measures of which a part is due on each working day of the period."""
OF_NUMBERS = GROWING | {Measure.CAPACITY}
"""Measures on which `at_least_n` has no effect."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is said of a promise. `due` is the part of the target that is due by now; of shares and times all of it."""

    verdict: Verdict
    due: float
    why: str | None = None


def judge(
    promise: Promise, figure: Figure, days: WorkingDays, *, has_begun: bool, is_over: bool
) -> Judgement:
    """The judgement of a promise by this figure, when so many working days of its period have passed."""
    target = target_of(promise)
    grows = promise.measure in GROWING
    due = target * days.share if grows else target
    if not has_begun:
        return Judgement("not_begun", due, "its period has not begun")
    if figure.is_unknown:
        return _by_what_is_known(promise, figure, due, is_over=is_over)
    if promise.measure not in OF_NUMBERS and figure.n < promise.at_least_n:
        return Judgement("too_few", due, f"too few ({figure.n})")
    value = figure.value or 0.0
    if is_over:
        return Judgement("met" if _keeps(promise, value, target) else "missed", due)
    if not _keeps(promise, value, due):
        return Judgement("behind", due)
    is_ahead = grows and value >= target * days.share_with_next
    return Judgement("ahead" if is_ahead else "on_track", due)


def _by_what_is_known(promise: Promise, figure: Figure, due: float, *, is_over: bool) -> Judgement:
    """A promise whose value is not known is kept for sure where what is known suffices; else it is not judged."""
    is_kept = figure.at_least is not None and figure.at_least >= target_of(promise)
    if promise.at_most is not None or not is_kept:
        return Judgement("unknown", due, figure.why)
    return Judgement("met" if is_over else "on_track", due, figure.why)


def target_of(promise: Promise) -> float:
    """The target as a number: of times in seconds."""
    if promise.at_most is not None:
        return promise.at_most / timedelta(seconds=1)
    return promise.at_least or 0.0


def _keeps(promise: Promise, value: float, target: float) -> bool:
    return value <= target if promise.at_most is not None else value >= target
