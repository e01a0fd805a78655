"""Whether days are announced and counted in time: what `leadbaton doctor` and the console's page Now say of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from services.alignment.domain.policy import AlignmentPolicy, attribution_of, terms_of
from services.alignment.handlers.daily import find_due_day
from services.alignment.queries.outcome_days import find_last_day
from services.alignment.queries.stale_days import StaleDays, stale_days_now
from shared.agreement.store import Policies
from shared.process.findings import Finding, fine, wrong

ANNOUNCEMENT_PATIENCE = timedelta(hours=1)
"""A day that is due for longer counts as stuck."""
CATCHING_UP = timedelta(minutes=1)
"""So long after an announcement more days may follow: after a first start, or after downtime."""
ANNOUNCEMENT_REMEDY = (
    "start `leadbaton relay` and `leadbaton alignment worker`; docs/runbooks.md, DayNotAnnounced"
)
COUNTING_PATIENCE = timedelta(hours=2)
"""A day that is stale for longer is counted late."""
COUNTING_REMEDY = "start `leadbaton alignment worker`; docs/runbooks.md, DaysStayStale"


def findings(session: Session, policies: Policies[AlignmentPolicy], now: datetime) -> list[Finding]:
    """A finding on each task of the worker that is done a day at a time."""
    return [announced_days(session, now), counted_days(stale_days(session, policies), now)]


def announced_days(session: Session, now: datetime) -> Finding:
    """Whether what became of campaigns is announced every day, and what holds it back."""
    last = find_last_day(session)
    due = find_due_day(session, now)
    if last is None:
        return Finding("daily webhook", ok=None, detail="no day was announced yet")
    is_catching_up = now - last.announced_at < CATCHING_UP
    if due is not None and due.late_by > ANNOUNCEMENT_PATIENCE and not is_catching_up:
        cause = due.obstacle or "no worker announces it"
        detail = f"{due.day} is {_hours(due.late_by)} late for marketing: {cause}"
        return wrong("daily webhook", detail, ANNOUNCEMENT_REMEDY)
    return fine("daily webhook", f"announced until {last.day}")


def counted_days(stale: StaleDays, now: datetime) -> Finding:
    """Whether the days on which something has changed are counted anew in time."""
    if not stale.number:
        return fine("stale days", "none")
    number = "1 day is" if stale.number == 1 else f"{stale.number} days are"
    late_by = timedelta() if stale.since is None else now - stale.since
    if late_by > COUNTING_PATIENCE:
        detail = f"{number} not counted anew, the first for {_hours(late_by)}: reports read what is of them one by one"
        return wrong("stale days", detail, COUNTING_REMEDY)
    return fine("stale days", f"{number} to be counted anew, none for more than 2 h")


def stale_days(session: Session, policies: Policies[AlignmentPolicy]) -> StaleDays:
    """The stale days, with those whose wins are not credited by the agreement in force."""
    return stale_days_now(session, terms_of(attribution_of(policies.find_current(session))))


def _hours(late_by: timedelta) -> str:
    return f"{late_by // timedelta(hours=1)} h"
