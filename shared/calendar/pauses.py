"""Pauses of a handoff, rebuilt from all reports of pauses and resumptions, in whatever order they came."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.contracts.payloads import Change


class PauseReport(NamedTuple):
    """A report that a rep paused or resumed a handoff."""

    occurred_at: datetime
    change: Change
    reason: str = ""
    resumes_at: datetime | None = None
    """Of a pause: when it is over by itself."""
    actor: str | None = None


class Pause(NamedTuple):
    """A pause: it is over at `until`, by itself where `ended_by` is None."""

    since: datetime
    until: datetime
    reason: str
    actor: str | None = None
    ended_by: Change | None = None
    """The change that ended it."""


def pauses_of(reports: Iterable[PauseReport]) -> list[Pause]:
    """The pauses that these reports of one hop give, in order; they do not overlap.

    A pause within another one changes nothing, so that it makes the first neither longer nor shorter.
    """
    pauses: list[Pause] = []
    for report in sorted(reports, key=_order):
        is_paused = bool(pauses) and report.occurred_at < pauses[-1].until
        if report.change is Change.RESUMED and is_paused:
            pauses[-1] = pauses[-1]._replace(until=report.occurred_at, ended_by=Change.RESUMED)
        elif report.change is Change.PAUSED and report.resumes_at is not None and not is_paused:
            since, until = report.occurred_at, max(report.occurred_at, report.resumes_at)
            pauses.append(Pause(since, until, report.reason, report.actor))
    return [it for it in pauses if it.since < it.until]


def ended(pauses: Iterable[Pause], at: datetime, change: Change) -> list[Pause]:
    """The pauses until a change that ends the last of them; those that would begin at it or later are left out."""
    return [
        it if it.until <= at else it._replace(until=at, ended_by=change)
        for it in pauses
        if it.since < at
    ]


def _order(report: PauseReport) -> tuple[datetime, Change, timedelta, str, str]:
    """Sorts by time; at one instant the longest pause comes first, and its resumption last."""
    length = timedelta(0) if report.resumes_at is None else report.resumes_at - report.occurred_at
    return report.occurred_at, report.change, -length, report.reason, report.actor or ""
