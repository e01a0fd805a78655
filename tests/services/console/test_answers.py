"""The forms of answers that the agreement lists: outcomes, pauses, notes; and a lead that ops reopen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.routing.domain.handoff import handoff_id
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from tests.builders import (
    DEFAULT_SECTIONS,
    NOON,
    an_id,
    days,
    handoff_changed,
    lead_qualified,
    marketing_event,
)
from tests.services.console.site import RunningConsole, running_console
from tests.services.console.test_handoffs import follow, send
from tests.services.routing.builders import build_assigner, entry, importing, qualifying
from tests.services.scoring.conftest import Worker
from tests.services.scoring.handlers.helpers import lead_of

pytestmark = pytest.mark.postgres

ADA = f"/handoffs/{handoff_id(an_id('ada'), 1)}"
ROUTING = {
    **DEFAULT_SECTIONS["routing"],
    "reject_reasons": [{"id": "a_student", "label": "A student", "then": "disqualify"}],
    "contact_outcomes": [{"id": "no_answer", "label": "Nobody answered"}],
    "pause_reasons": [
        {"id": "on_leave", "label": "They are on leave", "kinds": ["first_touch"], "longest": "10d"}
    ],
}


@pytest.fixture
def console(sessions: Sessions) -> Iterator[RunningConsole]:
    """Amira holds Ada's lead under an agreement that lists answers."""
    with sessions.begin() as session:
        assigner = build_assigner(session, routing=ROUTING)
        importing(session, entry("amira"))
        qualifying(session, assigner, lead_qualified(lead="ada"))
    with running_console(sessions) as running:
        yield running


def test_an_outcome_is_chosen_without_a_default(console: RunningConsole) -> None:
    with console.visit("rep") as client:
        page = client.get(ADA).text
        outcomes = page.split('<select id="outcome"')[1].split("</select>")[0]
        assert "required" in outcomes
        assert outcomes.count("<option") == 2
        assert '<option value="">choose</option>' in outcomes
        assert "Nobody answered" in outcomes
        assert "selected" not in outcomes
        assert "A student: for good" in page
        noted = send(client, f"{ADA}/contact", hop="1", channel="phone", outcome="no_answer")
        assert "outcome: no_answer" in follow(client, noted)


def test_a_handoff_is_paused_with_a_reason_and_a_note_and_resumed(console: RunningConsole) -> None:
    with console.visit("rep") as client:
        page = client.get(ADA).text
        assert "They are on leave: first touch, at most 10 d" in page
        assert ">Resume<" not in page
        pause = send(client, f"{ADA}/pause", hop="1", reason="on_leave", note="<i>back soon</i>")
        paused = follow(client, pause)
        assert "Paused." in paused
        assert "state-paused" in paused
        assert "state-paused" in client.get("/handoffs").text
        assert "&lt;i&gt;back soon&lt;/i&gt;" in paused
        assert ">Resume<" in paused
        assert 'id="pausing"' not in paused
        resumed = follow(client, send(client, f"{ADA}/resume", hop="1"))
        assert "Resumed." in resumed
        assert 'id="pausing"' in resumed


def test_a_pause_that_is_over_by_itself_is_not_shown(sessions: Sessions) -> None:
    with sessions.begin() as session:
        assigner = build_assigner(session, routing=ROUTING)
        importing(session, entry("amira"))
        qualifying(session, assigner, lead_qualified(lead="ada"))
    with running_console(sessions) as running, running.visit() as client:
        assert "until" in follow(client, send(client, f"{ADA}/pause", hop="1", reason="on_leave"))
    with running_console(sessions, now=NOON + days(11)) as later, later.visit() as client:
        assert ">Resume<" not in client.get(ADA).text


def test_without_lists_an_outcome_is_written_and_nothing_is_paused(sessions: Sessions) -> None:
    with sessions.begin() as session:
        assigner = build_assigner(session)
        importing(session, entry("amira"))
        qualifying(session, assigner, lead_qualified(lead="ada"))
    with running_console(sessions) as running, running.visit("rep") as client:
        page = client.get(ADA).text
        assert '<input id="outcome"' in page
        assert 'id="pausing"' not in page
        refused = send(client, f"{ADA}/pause", hop="1", reason="on_leave", status=422)
        assert "lists no pause reasons" in refused.text


def test_ops_reopen_a_lead_that_a_rep_disqualified(sessions: Sessions) -> None:
    with sessions.begin() as session:
        worker = Worker(session)
        worker.publish()
        worker.take(marketing_event("demo_requested"))
        lead_id = lead_of(worker).id
        worker.follow(
            handoff_changed(
                Change.REJECTED, lead=lead_id, rep=None, then="disqualify", reason="a_student"
            )
        )
    with running_console(sessions) as running:
        with running.visit() as client:
            page = client.get(f"/leads/{lead_id}").text
            assert "Kept from sales: disqualified: a_student" in page
            assert "Reopen" in page
            reopened = follow(client, send(client, f"/leads/{lead_id}/reopen"))
            assert "The lead may qualify again." in reopened
            assert "Kept from sales" not in reopened
        with running.visit("read") as client:
            assert "Reopen" not in client.get(f"/leads/{lead_id}").text
