"""The check of `leadbaton doctor` on the daily webhook to marketing."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from services.alignment.handlers.daily import find_due_day
from services.alignment.queries.outcome_days import find_last_day
from services.cli.findings import Finding, fine, wrong

PATIENCE = timedelta(hours=1)
"""A day that is due for longer counts as stuck."""
CATCHING_UP = timedelta(minutes=1)
"""So long after an announcement more days may follow: after a first start, or after downtime."""
REMEDY = (
    "start `leadbaton relay` and `leadbaton alignment worker`; docs/runbooks.md, DayNotAnnounced"
)


def announced_days(session: Session, now: datetime) -> Finding:
    """Whether what became of campaigns is announced every day, and what holds it back."""
    last = find_last_day(session)
    due = find_due_day(session, now)
    if last is None:
        return Finding("daily webhook", ok=None, detail="no day was announced yet")
    is_catching_up = now - last.announced_at < CATCHING_UP
    if due is not None and due.late_by > PATIENCE and not is_catching_up:
        hours = due.late_by // timedelta(hours=1)
        cause = due.obstacle or "no worker announces it"
        detail = f"{due.day} is {hours} h late for marketing: {cause}"
        return wrong("daily webhook", detail, REMEDY)
    return fine("daily webhook", f"announced until {last.day}")
