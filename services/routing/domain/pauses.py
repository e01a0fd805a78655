"""Pauses of a handoff, computed from all reports of pauses and resumptions, in whatever order they came."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from shared.contracts.payloads import Change


class PauseReport(NamedTuple):
    """A report that a rep paused or resumed a handoff."""

    occurred_at: datetime
    change: Change
    details: dict[str, Any]
    """Of a pause its reason, and `resumes_at`."""


class Pause(NamedTuple):
    """A pause, which is over once `until` has come."""

    until: datetime
    reason: str


def last_pause(reports: Iterable[PauseReport]) -> Pause | None:
    """The pause that these reports of one hop leave, perhaps one that is over by now; None after a resumption.

    A pause within another one changes nothing, so that it makes the first neither longer nor shorter.
    """
    pause: Pause | None = None
    for report in sorted(reports, key=_order):
        if report.change is Change.RESUMED:
            pause = None
        elif pause is None or pause.until <= report.occurred_at:
            pause = Pause(report.details["resumes_at"], report.details["reason"])
    return pause


def _order(report: PauseReport) -> tuple[datetime, Change, timedelta, str]:
    """Sorts by time; at one instant the longest pause comes first, and its resumption last."""
    resumes_at = report.details.get("resumes_at", report.occurred_at)
    reason = report.details.get("reason", "")
    return report.occurred_at, report.change, report.occurred_at - resumes_at, reason
