"""What is late of what alignment does a day at a time, and what holds it back, as the doctor and the API say it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.handlers.daily import announce_outcomes
from services.alignment.health import announced_days, counted_days, findings, stale_days
from services.alignment.queries.stale_days import StaleDays
from shared.agreement.store import Policies, publish
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.contracts.payloads import Change
from shared.contracts.topics import ALIGNMENT, HANDOFFS_CHANGED
from shared.db.session import Sessions
from shared.messaging.stored_lag import TopicLag, save_lags
from shared.process.findings import fine
from tests.builders import DEFAULT_SECTIONS, NOON, days
from tests.services.alignment.builders import qualified, read, step
from tests.services.alignment.folding import count_all, count_credits
from tests.services.apis import apis_on

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


@pytest.mark.parametrize(
    ("stale", "words"),
    [
        (StaleDays(0, None), "none"),
        (StaleDays(1, AT_TWO - timedelta(hours=2)), "1 day is to be counted anew, none for more than 2 h"),
        (StaleDays(3, None), "3 days are to be counted anew, none for more than 2 h"),
    ],
    ids=["none", "for two hours", "since an unknown time"],
)  # fmt: skip
def test_days_that_are_counted_in_time_are_no_fault(stale: StaleDays, words: str) -> None:
    assert counted_days(stale, AT_TWO) == fine("stale days", words)


def test_days_that_are_stale_for_long_are_counted_late() -> None:
    late = counted_days(StaleDays(12, AT_TWO - timedelta(hours=27.5)), AT_TWO)

    assert late.ok is False
    assert late.detail == (
        "12 days are not counted anew, the first for 27 h: reports read what is of them one by one"
    )
    assert "leadbaton alignment worker" in late.remedy


def test_days_of_sums_and_of_wins_are_stale_each_once(session: Session) -> None:
    read(session, qualified(), step(Change.ASSIGNED), step(Change.WON, 5, amount=10.0, sequence=2))
    read(session, qualified("linus", at=NOON + days(1)))

    assert stale(session).number == 2
    count_all(session)
    assert stale(session).number == 1, "the win's"
    count_credits(session)
    assert stale(session) == StaleDays(0, None)


def test_wins_that_an_older_agreement_credits_are_stale_since_it_was_replaced(
    session: Session,
) -> None:
    for day in range(3):
        lead: dict[str, Any] = {"lead": f"lead {day}"}
        read(session, qualified(**lead), step(Change.ASSIGNED, **lead))
        read(session, step(Change.WON, day * 24 * 60, amount=10.0, sequence=2, **lead))
    count_all(session)
    count_credits(session)
    publish_attribution(session, show="linear")
    assert stale(session).number == 0, "nothing is credited otherwise"

    publish_attribution(session, window="30d")

    assert stale(session) == StaleDays(3, AT_TWO)
    assert count_credits(session) == 3
    assert stale(session) == StaleDays(0, None)


def test_the_api_answers_what_the_doctor_says(sessions: Sessions) -> None:
    with sessions.begin() as session:
        announce(session, measured_at=AT_TWO)
        read(session, qualified())
        session.execute(text("update alignment.stale_days set marked_at = :at"), {"at": AT_TWO})
        key = create_key(session, scope=KeyScope.READ, subject="ada", now=NOON)
    now = AT_TWO + 2 * DAY
    client = TestClient(
        apis_on(sessions, now=now)["alignment"], headers={"authorization": f"Bearer {key}"}
    )

    webhook, counting = client.get("/v1/alignment/health").json()["items"]

    assert (webhook["check"], webhook["ok"]) == ("daily webhook", False)
    assert (counting["check"], counting["ok"]) == ("stale days", False)
    assert "the first for 48 h" in counting["detail"]
    with sessions() as session:
        expected = findings(session, Policies(AlignmentPolicy), now)
    assert [(it.detail, it.remedy) for it in expected] == [
        (it["detail"], it["remedy"]) for it in (webhook, counting)
    ]


def stale(session: Session) -> StaleDays:
    return stale_days(session, Policies(AlignmentPolicy))


def publish_attribution(session: Session, **section: str) -> None:
    source = json.dumps({**DEFAULT_SECTIONS, "attribution": section})
    publish(session, source, by="test", now=AT_TWO)
