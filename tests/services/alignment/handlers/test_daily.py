"""The daily announcement: each campaign and day once, complete, whatever stops or runs twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import delete
from sqlalchemy.orm import Session

from services.alignment.announcements import MAX_PARTS
from services.alignment.domain.daily import MAX_DAYS
from services.alignment.handlers import daily
from services.alignment.handlers.daily import DueDay, announce_outcomes, find_due_day
from shared.contracts.payloads import CampaignCounted, Change, RejectionCount, WonAmount
from shared.contracts.topics import ALIGNMENT, CAMPAIGNS_COUNTED, HANDOFFS_CHANGED, ROUTING
from shared.db.session import Sessions
from shared.db.tables import outbox as outbox_rows
from shared.messaging import outbox
from shared.messaging.stored_lag import TopicLag, save_lags
from tests.builders import NOON, outgoing
from tests.services.alignment.builders import numbered, qualified, read, step
from tests.services.scoring.conftest import payloads_in_outbox

pytestmark = pytest.mark.postgres

DAY = NOON.date()
AT_TWO = datetime(2026, 11, 19, 2, tzinfo=UTC)


def measured(
    session: Session, at: datetime, records: int = 0, oldest_at: datetime | None = None
) -> None:
    """Say how far this service was behind, and that another one is far behind."""
    lags = [
        TopicLag(ALIGNMENT, HANDOFFS_CHANGED.name, records, oldest_at, at),
        TopicLag(ROUTING, HANDOFFS_CHANGED.name, 99, NOON, at),
    ]
    save_lags(session, lags)


def win(
    session: Session, lead: str, campaign: str | None = "autumn", **fields: float | str
) -> None:
    changes = [
        step(Change.ASSIGNED, lead=lead, campaign=campaign),
        step(Change.WON, 9, lead=lead, campaign=campaign, **fields),
    ]
    read(session, qualified(lead, campaign), *numbered(*changes))


def reject(session: Session, lead: str, reason: str | None) -> None:
    rejected = step(Change.REJECTED, 9, lead=lead, reason=reason)
    read(session, qualified(lead), *numbered(step(Change.ASSIGNED, lead=lead), rejected))


def announce_all(session: Session, now: datetime = AT_TWO) -> list[CampaignCounted]:
    """What is announced until nothing more is due, where all was read."""
    measured(session, now)
    return announce_read(session, now)


def announce_read(session: Session, now: datetime = AT_TWO) -> list[CampaignCounted]:
    """What is announced of the days that were read."""
    while announce_outcomes(session, now):
        pass
    return announced(session)


def announced(session: Session) -> list[CampaignCounted]:
    return payloads_in_outbox(session, CAMPAIGNS_COUNTED)


def test_a_day_is_announced_once_for_each_campaign(session: Session) -> None:
    win(session, "ada", amount=100.01, currency="EUR")
    win(session, "emmy", amount=50.0, currency="USD")
    win(session, "otto")
    win(session, "rosa", "spring", amount=1.0, currency="EUR")
    win(session, "kurt", None)
    reject(session, "lise", "budget")
    reject(session, "max", "budget")
    reject(session, "hans", None)

    autumn, spring = announce_all(session)

    assert autumn == CampaignCounted(
        campaign="autumn",
        day=DAY,
        counted_at=AT_TWO,
        qualified=6,
        accepted=3,
        rejected=3,
        contacted=3,
        won=3,
        rejections=(RejectionCount(reason="budget", count=2), RejectionCount(count=1)),
        revenue=(
            WonAmount(currency="EUR", amount=100.01, wins=1),
            WonAmount(currency="USD", amount=50.0, wins=1),
        ),
        wins_without_amount=1,
    )
    assert (spring.campaign, spring.won) == ("spring", 1)
    assert announce_all(session, AT_TWO + timedelta(hours=20)) == [autumn, spring]


def test_a_day_without_leads_is_silent(session: Session) -> None:
    win(session, "ada")
    announce_all(session)

    assert len(announce_all(session, AT_TWO + timedelta(days=1))) == 1


def test_days_that_were_missed_follow_and_no_more_than_a_week_of_them(session: Session) -> None:
    for lead, day in (("ada", 18), ("emmy", 20), ("otto", 10)):
        read(session, qualified(lead, at=NOON.replace(day=day)))

    days = [it.day for it in announce_all(session, AT_TWO + timedelta(days=5))]

    assert days == [date(2026, 11, 18), date(2026, 11, 20)]
    assert len(days) <= MAX_DAYS


def test_a_day_waits_until_all_of_it_was_read(session: Session) -> None:
    read(session, qualified("ada"))

    assert announce_read(session) == []  # nothing is known of what waits
    measured(session, AT_TWO, records=1, oldest_at=NOON)
    assert announce_read(session) == []
    measured(session, AT_TWO)
    outbox.append(session, [outgoing(HANDOFFS_CHANGED, step(Change.ASSIGNED))])
    session.execute(outbox_rows.update().values(created_at=NOON))
    assert announce_read(session) == []
    session.execute(delete(outbox_rows))
    assert len(announce_all(session)) == 1


def test_a_day_that_waits_is_late_and_says_for_what(session: Session) -> None:
    read(session, qualified("ada"))
    announce_read(session)
    assert late_s() == timedelta(days=6, hours=1).total_seconds()  # of the oldest of seven days
    measured(session, NOON)

    assert announce_read(session) == []

    cause = "what is unread of handoffs.changed was last measured at 2026-11-18 12:00 UTC"
    assert find_due_day(session, AT_TWO) == DueDay(DAY, timedelta(hours=1), cause)
    assert late_s() == timedelta(hours=1).total_seconds()
    announce_all(session)
    assert (late_s(), find_due_day(session, AT_TWO)) == (0, None)


def test_a_topic_that_is_not_read_any_more_holds_no_day_back(session: Session) -> None:
    read(session, qualified("ada"))
    save_lags(session, [TopicLag(ALIGNMENT, "leads.former", 5, NOON, NOON)])

    assert announce_read(session) == []
    assert len(announce_all(session)) == 1


def late_s() -> float | None:
    return REGISTRY.get_sample_value("leadbaton_alignment_announcement_late_seconds")


def test_two_workers_announce_a_day_once(sessions: Sessions) -> None:
    with sessions.begin() as session:
        read(session, qualified("ada"), qualified("emmy", "spring"))
        measured(session, AT_TWO)

    def work(_: int) -> None:
        has_more = True
        while has_more:
            with sessions.begin() as session:
                has_more = announce_outcomes(session, AT_TWO)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))

    with sessions() as session:
        assert [it.campaign for it in announced(session)] == ["autumn", "spring"]


def test_a_worker_that_is_killed_has_announced_nothing(sessions: Sessions) -> None:
    with sessions.begin() as session:
        read(session, qualified("ada"))
        measured(session, AT_TWO)
    with sessions() as session:
        while announce_outcomes(session, AT_TWO):
            pass
        session.rollback()

    with sessions.begin() as session:
        assert len(announce_all(session)) == 1


def test_an_announcement_is_bounded(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daily, "MAX_CAMPAIGNS", 1)
    for number in range(MAX_PARTS + 5):
        reject(session, f"lead {number}", f"reason {number:02}")
    read(session, qualified("ada", "spring"))

    [autumn] = announce_all(session)

    assert (autumn.campaign, autumn.rejected) == ("autumn", MAX_PARTS + 5)
    assert [it.reason for it in autumn.rejections] == [f"reason {it:02}" for it in range(MAX_PARTS)]
