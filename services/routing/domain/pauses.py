"""Pauses of a handoff, computed from all reports of pauses and resumptions, in whatever order they came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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


def last_pause(
    reports: Iterable[PauseReport], kinds_of: Mapping[str, Sequence[str]]
) -> Pause | None:
    """The pause that these reports of one hop leave, perhaps one that is over by now; None after a resumption.

    `kinds_of` has the kinds of promises that each reason pauses. A pause within another one of the same kind changes
    nothing, so that it makes the first neither longer nor shorter. Of pauses of several kinds it is the longest.
    """
    pauses: dict[str, Pause] = {}
    for report in sorted(reports, key=_order):
        if report.change is Change.RESUMED:
            pauses.clear()
            continue
        pause = Pause(report.details["resumes_at"], report.details["reason"])
        for kind in kinds_of.get(pause.reason, ()):
            if kind not in pauses or pauses[kind].until <= report.occurred_at:
                pauses[kind] = pause
    return max(pauses.values(), default=None)


def _order(report: PauseReport) -> tuple[datetime, Change, timedelta, str]:
    """Sorts by time; at one instant the longest pause comes first, and its resumption last."""
    resumes_at = report.details.get("resumes_at", report.occurred_at)
    reason = report.details.get("reason", "")
    return report.occurred_at, report.change, report.occurred_at - resumes_at, reason
