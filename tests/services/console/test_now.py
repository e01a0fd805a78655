"""The page Now, and what a page shows while a service is away."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from services.console.apis import Gap, Service
from services.console.pages.now import behind, waiting_reason
from services.routing.handlers import Assigner
from services.sla_monitor.handlers.due_clocks import fire_due_clocks
from shared.contracts.payloads import Change, LeadContext
from shared.contracts.topics import SLA
from shared.db.session import Sessions
from shared.messaging.stored_lag import TopicLag, save_lags
from tests.builders import NOON, lead_qualified
from tests.services.console.site import running_console
from tests.services.routing.builders import URL, entry, importing, qualifying
from tests.services.sla_monitor.builders import (
    TOUCH,
    handle_changes,
    minutes_after_noon,
    numbered,
    publish_policies,
    step,
)

pytestmark = pytest.mark.postgres

ANSWERED = numbered(
    step(Change.ASSIGNED, lead="other", assigned_at=minutes_after_noon(40)),
    step(Change.CONTACTED, 80, lead="other", assigned_at=minutes_after_noon(40)),
)


@pytest.mark.parametrize("scope", ["ops", "read", "rep"])
def test_an_empty_installation_says_so(sessions: Sessions, scope: str) -> None:
    with running_console(sessions) as console, console.visit(scope) as client:
        page = client.get("/")
        assert page.status_code == 200
        assert "No promise is broken." in page.text
        assert ("No lead waits for a rep." in page.text) is (scope != "rep")
        assert "Every accepted lead has been contacted." in page.text


def test_a_service_that_is_away_leaves_a_sentence_in_its_place(sessions: Sessions) -> None:
    with running_console(sessions, away=Service.SLA) as console, console.visit() as client:
        page = client.get("/")
        assert page.status_code == 200
        assert "the SLA monitor does not answer" in page.text
        assert "No lead waits for a rep." in page.text


def test_what_needs_somebody_is_counted_and_listed(sessions: Sessions) -> None:
    """At 13:30: a lead waits because its only rep is away, and Amira has not answered another in time."""
    with sessions.begin() as session:
        publish_policies(session, TOUCH)
        importing(session, entry("grace", active=False))
        qualifying(session, Assigner(URL), lead_qualified(context=LeadContext(name="Ada <b>Byron")))
        changes = step(Change.ASSIGNED, lead="late", rep="amira", lead_name="Lead late")
        handle_changes(session, changes, minute=5)
        handle_changes(session, *ANSWERED, minute=85)
        fire_due_clocks(session, now=minutes_after_noon(80))
        save_lags(session, [TopicLag(SLA, "handoffs.changed", 12, NOON, NOON)])
    with running_console(sessions, now=minutes_after_noon(90)) as console:
        with console.visit() as client:
            page = client.get("/")
        with console.visit("rep") as client:
            own = client.get("/")

    assert page.status_code == own.status_code == 200
    for words in ("Lead late", "1 inactive", "Promises of the last hour", "30 min ago"):
        assert words in page.text
    assert "handoffs.changed" in page.text
    assert "Ada &lt;b&gt;Byron" in page.text
    assert "Lead late" in own.text
    assert "Waiting for a rep" not in own.text
    assert "handoffs.changed" not in own.text


def test_promises_that_no_sweep_flags_are_said_to_be_late(sessions: Sessions) -> None:
    with sessions.begin() as session:
        publish_policies(session, TOUCH)
        handle_changes(session, step(Change.ASSIGNED), minute=5)
    with running_console(sessions, now=minutes_after_noon(90)) as console:
        with console.visit() as client:
            page = client.get("/")
        with console.visit("rep") as client:
            own = client.get("/")

    assert "no sweep has taken them" in page.text
    assert "Overdue timers" not in own.text


def test_days_that_are_counted_late_are_said_to_be_so(sessions: Sessions) -> None:
    with sessions.begin() as session:
        mark = "insert into alignment.stale_days (day, marked_at) values ('2026-11-17', :at)"
        session.execute(text(mark), {"at": NOON})
    with running_console(sessions, now=minutes_after_noon(121)) as console:
        with console.visit() as client:
            page = client.get("/")
        with console.visit("rep") as client:
            own = client.get("/")

    words = "Stale days: 1 day is not counted anew, the first for 2 h"
    assert words in page.text
    assert "<code>leadbaton alignment worker</code>" in page.text
    assert 'href="#late">1<' in page.text
    assert words not in own.text


@pytest.mark.parametrize(
    ("excluded", "words"),
    [
        ([["full"], ["full", "off"], ["outside_hours"]], "2 full, 1 outside hours"),
        ([[], []], "the team has no rep"),
    ],
    ids=["reasons", "nobody"],
)
def test_why_a_lead_waits_is_said_in_a_few_words(excluded: list[list[str]], words: str) -> None:
    candidates = [{"excluded": [{"reason": reason} for reason in it]} for it in excluded]
    assert waiting_reason({"candidates": candidates}) == words
    assert waiting_reason(None) is None


def test_how_far_the_services_are_behind_is_one_number_each() -> None:
    health = {
        "outbox": {"unpublished": 3, "oldest_s": 4.0},
        "dead_letters": [{"count": 2}, {"count": 5}],
        "lags": [{"records": 7, "oldest_s": 90.0}, {"records": 0, "oldest_s": 0.0}],
    }
    assert behind(health) == {"dead_letters": 7, "records": 10, "oldest_s": 90.0}
    assert behind(Gap("away")) is None
    assert behind(None) is None
