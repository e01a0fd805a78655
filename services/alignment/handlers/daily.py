"""The worker's tick: once a day it announces what became of each campaign's leads on the day before."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy.orm import Session

from services.alignment import announcements, metrics
from services.alignment.domain.daily import (
    MAX_DAYS,
    Backlog,
    days_due,
    end_of,
    late_by,
    obstacle,
)
from services.alignment.domain.outcomes import CampaignOutcome, outcomes
from services.alignment.queries.outcome_days import add_day, announced_days
from services.alignment.queries.outcomes import outcome_sums
from shared.contracts.topics import ALIGNMENT, TOPICS
from shared.messaging import outbox
from shared.messaging.stored_lag import stored_lags

MAX_CAMPAIGNS = 1_000
"""So many campaigns are announced for a day at most, those with most leads: names may be invented by anybody."""


class DueDay(NamedTuple):
    """The oldest day that is due and was not announced."""

    day: date
    late_by: timedelta
    obstacle: str | None
    """Why it cannot be counted yet, in words; None: it is announced at once."""


def announce_outcomes(session: Session, now: datetime) -> bool:
    """Announce the oldest day that is due, once all that happened on it was read; whether there may be another one.

    A day is announced once, by whichever worker notes it first: the note and the records are one transaction.
    """
    due = find_due_day(session, now)
    metrics.ANNOUNCEMENT_LATE.set(due.late_by.total_seconds() if due else 0)
    if due is None or due.obstacle is not None:
        return False
    announce_day(session, due.day, now)
    return True


def find_due_day(session: Session, now: datetime) -> DueDay | None:
    """The oldest day that is due and was not announced, if there is one."""
    announced = announced_days(session, since=(now - timedelta(days=MAX_DAYS + 1)).date())
    day = next(iter(days_due(announced, now=now)), None)
    if day is None:
        return None
    return DueDay(day, late_by(day, now=now), obstacle(day, _backlogs(session, now)))


def announce_day(session: Session, day: date, now: datetime) -> int | None:
    """Announce what became of campaigns' leads on this day; of how many campaigns. None if that was done before."""
    if not add_day(session, day, now=now):
        return None

    counted = outcomes(outcome_sums(session, end_of(day) - timedelta(days=1), end_of(day)))

    records = list(announcements.campaigns_counted(_largest(counted), day, now=now))
    outbox.append(session, records)
    return len(records)


def _backlogs(session: Session, now: datetime) -> list[Backlog]:
    """What this service has not read, as the relay has measured it, and what nobody could read yet.

    Topics that an earlier version has read are left out: nobody measures them any more.
    """
    topics = {it.name for it in TOPICS if ALIGNMENT in it.readers}
    unread = [
        Backlog(it.topic, it.records, it.oldest_at, it.measured_at)
        for it in stored_lags(session)
        if it.group == ALIGNMENT and it.topic in topics
    ]
    unpublished = outbox.backlog(session)
    rows = Backlog("the outbox", unpublished.rows, unpublished.oldest_at, now)
    return [rows, *unread] if unread else []


def _largest(counted: Iterable[CampaignOutcome]) -> list[CampaignOutcome]:
    by_size = sorted(counted, key=lambda it: -(it.counts.qualified + it.counts.won))
    return by_size[:MAX_CAMPAIGNS]
