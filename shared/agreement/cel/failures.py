"""Evaluations of conditions that failed, counted by rule: they are false, and somebody should know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from threading import Lock


class Cause(StrEnum):
    """Why an evaluation failed."""

    WORK = "work"
    """It would have been more work than is done for one."""
    ITERATIONS = "iterations"
    """CEL gave up in its loops."""
    ERROR = "error"
    """A division by zero, a number or a pattern that is none, or a value that CEL cannot hold."""


class Failures:
    """How often each rule failed since the process began; safe to count from several threads."""

    def __init__(self) -> None:
        self._totals: Counter[tuple[str, Cause]] = Counter()
        self._lock = Lock()

    def count(self, rule: str, cause: Cause) -> None:
        """One evaluation more that failed."""
        with self._lock:
            self._totals[rule, cause] += 1

    def totals(self) -> Mapping[tuple[str, Cause], int]:
        """How often, by rule and cause."""
        with self._lock:
            return dict(self._totals)


FAILURES = Failures()
"""Those of this process: conditions are values that anything may evaluate, like metrics, which this becomes one of."""
