"""The doctor says which day marketing was not told of, and what holds it back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from services.alignment.handlers.daily import announce_outcomes
from services.cli.announced_days import announced_days
from services.cli.findings import fine
from shared.contracts.topics import ALIGNMENT, HANDOFFS_CHANGED
from shared.messaging.stored_lag import TopicLag, save_lags

pytestmark = pytest.mark.postgres

AT_TWO = datetime(2026, 11, 19, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def announce(session: Session, *, measured_at: datetime, now: datetime = AT_TWO) -> None:
    """Announce what is due, by a measurement of that time which found nothing unread."""
    save_lags(session, [TopicLag(ALIGNMENT, HANDOFFS_CHANGED.name, 0, None, measured_at)])
    while announce_outcomes(session, now):
        pass


def test_a_day_that_is_late_is_named_with_what_it_waits_for(session: Session) -> None:
    assert announced_days(session, AT_TWO).ok is None
    announce(session, measured_at=AT_TWO)
    assert announced_days(session, AT_TWO) == fine("daily webhook", "announced until 2026-11-18")
    assert announced_days(session, AT_TWO + DAY).ok, "an hour after it was due"

    late = announced_days(session, AT_TWO + DAY + timedelta(hours=3))

    assert late.ok is False
    assert late.detail == (
        "2026-11-19 is 4 h late for marketing: "
        "what is unread of handoffs.changed was last measured at 2026-11-19 02:00 UTC"
    )
    assert "leadbaton relay" in late.remedy


def test_days_that_follow_each_other_are_not_stuck(session: Session) -> None:
    save_lags(session, [TopicLag(ALIGNMENT, HANDOFFS_CHANGED.name, 0, None, AT_TWO)])
    announce_outcomes(session, AT_TWO)  # the first of seven

    assert announced_days(session, AT_TWO) == fine("daily webhook", "announced until 2026-11-12")
    assert announced_days(session, AT_TWO + timedelta(minutes=1)).ok is False


def test_a_day_that_waits_for_nothing_waits_for_a_worker(session: Session) -> None:
    announce(session, measured_at=AT_TWO)
    later = AT_TWO + 2 * DAY
    save_lags(session, [TopicLag(ALIGNMENT, HANDOFFS_CHANGED.name, 0, None, later)])

    assert announced_days(session, later).detail == (
        "2026-11-19 is 25 h late for marketing: no worker announces it"
    )
    announce(session, measured_at=later, now=later)
    assert announced_days(session, later).ok
