"""The worker's tick: once a day it announces what became of each campaign's leads on the day before."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from services.alignment import announcements
from services.alignment.domain.daily import MAX_DAYS, Backlog, days_due, end_of, is_read
from services.alignment.domain.outcomes import CampaignOutcome, outcomes
from services.alignment.queries.outcome_days import add_day, announced_days
from services.alignment.queries.outcomes import outcome_counts, rejections_by_reason, won_sums
from shared.contracts.topics import ALIGNMENT
from shared.db.time_range import TimeRange
from shared.messaging import outbox
from shared.messaging.stored_lag import stored_lags

MAX_CAMPAIGNS = 1_000
"""So many campaigns are announced for a day at most, those with most leads: names may be invented by anybody."""


def announce_outcomes(session: Session, now: datetime) -> bool:
    """Announce the oldest day that is due, once all that happened on it was read; whether there may be another one.

    A day is announced once, by whichever worker notes it first: the note and the records are one transaction.
    """
    announced = announced_days(session, since=(now - timedelta(days=MAX_DAYS + 1)).date())
    day = next(iter(days_due(announced, now=now)), None)
    if day is None or not is_read(day, _backlogs(session, now)):
        return False
    times = TimeRange(end_of(day) - timedelta(days=1), end_of(day))
    if not add_day(session, day, now=now):
        return True

    counted = outcomes(
        outcome_counts(session, times),
        rejections_by_reason(session, times),
        won_sums(session, times),
    )

    outbox.append(session, announcements.campaigns_counted(_largest(counted), day, now=now))
    return True


def _backlogs(session: Session, now: datetime) -> list[Backlog]:
    """What this service has not read, as the relay has measured it, and what nobody could read yet."""
    unread = [
        Backlog(it.records, it.oldest_at, it.measured_at)
        for it in stored_lags(session)
        if it.group == ALIGNMENT
    ]
    unpublished = outbox.backlog(session)
    return [*unread, Backlog(unpublished.rows, unpublished.oldest_at, now)] if unread else []


def _largest(counted: Iterable[CampaignOutcome]) -> list[CampaignOutcome]:
    by_size = sorted(counted, key=lambda it: -(it.counts.qualified + it.counts.won))
    return by_size[:MAX_CAMPAIGNS]
