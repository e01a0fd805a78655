"""Counts of the evaluations of conditions that failed, by rule and cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from threading import Lock


class Cause(StrEnum):
    """Why an evaluation failed."""

    WORK = "work"
    """The evaluation would have been more work than is done for one."""
    ITERATIONS = "iterations"
    """CEL gave up after too many rounds of loops."""
    ERROR = "error"
    """A division by zero, an invalid number or pattern, or a value that CEL cannot represent."""


class Failures:
    """How often each rule failed since the process began; threads may count at once."""

    def __init__(self) -> None:
        self._totals: Counter[tuple[str, Cause]] = Counter()
        self._lock = Lock()

    def count(self, rule: str, cause: Cause) -> None:
        """Count one more failed evaluation."""
        with self._lock:
            self._totals[rule, cause] += 1

    def totals(self) -> Mapping[tuple[str, Cause], int]:
        """The number of failures by rule and cause."""
        with self._lock:
            return dict(self._totals)


FAILURES = Failures()
"""The failures of this process. It is global like a metric, as conditions are values that are evaluated anywhere."""
