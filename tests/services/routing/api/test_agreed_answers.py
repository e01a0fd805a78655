"""Answers over HTTP whose outcomes and reasons the agreement lists: contacts, pauses, notes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from services.routing.main import build_api
from shared.db.session import Sessions
from tests.builders import DEFAULT_SECTIONS, NOON, lead_qualified
from tests.services.routing.builders import (
    announced,
    build_assigner,
    entry,
    importing,
    qualifying,
)
from tests.services.routing.client import ADA, NOW, RoutingClient, hire_linus

pytestmark = pytest.mark.postgres

ROUTING = {
    **DEFAULT_SECTIONS["routing"],
    "contact_outcomes": [
        {"id": "no_answer", "label": "Nobody answered"},
        {"id": "wrong_number", "touch": False},
        {"id": "reached", "reached": True},
    ],
    "pause_reasons": [
        {"id": "on_leave", "label": "They are on leave", "kinds": ["first_touch"], "longest": "10d"}
    ],
}
NO_ANSWER = {"channel": "phone", "outcome": "no_answer"}


@pytest.fixture
def client(sessions: Sessions) -> Iterator[RoutingClient]:
    """Ada is with Grace under an agreement that lists outcomes and pause reasons."""
    with sessions.begin() as session:
        assigner = build_assigner(session, routing=ROUTING)
        importing(session, entry("grace"))
        qualifying(session, assigner, lead_qualified(lead="ada"))
    with TestClient(build_api(sessions, time_source=lambda: NOW)) as http_client:
        yield RoutingClient(http_client, sessions)


def test_a_handoff_says_what_may_be_answered(client: RoutingClient) -> None:
    ada = client.get(f"/handoffs/{ADA}", by="grace")

    assert ada["contact_outcomes"] == [
        {"id": "no_answer", "label": "Nobody answered", "attempt": True, "touch": True, "reached": False},
        {"id": "wrong_number", "label": None, "attempt": True, "touch": False, "reached": False},
        {"id": "reached", "label": None, "attempt": True, "touch": True, "reached": True},
    ]  # fmt: skip
    [reason] = ada["pause_reasons"]
    assert (reason["id"], reason["kinds"], reason["longest_s"]) == (
        "on_leave",
        ["first_touch"],
        864_000.0,
    )


def test_calls_at_two_times_are_two_contacts_and_each_counts_as_the_agreement_says(
    client: RoutingClient,
) -> None:
    first, second = "2026-11-18T12:02:00Z", "2026-11-18T12:08:00Z"
    wrong = {"channel": "phone", "outcome": "wrong_number", "occurred_at": first}
    assert client.say("contact", wrong)["state"] == "accepted"
    for at in (first, second, first, second):
        assert client.say("contact", {**NO_ANSWER, "occurred_at": at})["state"] == "contacted"
    client.say("contact", {"channel": "phone", "outcome": "reached"})

    with client.sessions() as session:
        contacts = [it for it in announced(session) if it.change == "contacted"]
    assert [(it.outcome, it.attempt, it.touch, it.reached) for it in contacts] == [
        ("wrong_number", None, False, None),
        ("no_answer", None, None, None),
        ("no_answer", None, None, None),
        ("reached", None, None, True),
    ]


@pytest.mark.parametrize("by", ["grace", "ops"])
def test_a_handoff_is_paused_and_resumed(client: RoutingClient, by: str) -> None:
    since = NOON + timedelta(minutes=5)
    body = {"reason": "on_leave", "occurred_at": since.isoformat(), "note": "back in December"}
    for _ in range(2):
        held = client.say("pause", body, by=by)
    assert (held["state"], held["pause_reason"]) == ("assigned", "on_leave")
    assert held["paused_until"] == "2026-11-28T12:05:00Z"
    paused = held["history"][-1]
    assert paused["details"] == {
        "reason": "on_leave",
        "note": "back in December",
        "resumes_at": "2026-11-28T12:05:00Z",
    }

    resumed = client.say("resume", by=by)

    assert (resumed["paused_until"], resumed["pause_reason"]) == (None, None)
    with client.sessions() as session:
        _, pause, resumption = announced(session)
    assert (pause.change, pause.reason) == ("paused", "on_leave")
    assert pause.resumes_at == since + timedelta(days=10)
    assert resumption.change == "resumed"


def test_a_resumption_that_is_reported_first_ends_the_pause(client: RoutingClient) -> None:
    client.say("resume", {"occurred_at": "2026-11-18T12:06:00Z"})

    held = client.say("pause", {"reason": "on_leave", "occurred_at": "2026-11-18T12:02:00Z"})

    assert held["paused_until"] is None


def test_a_note_stays_in_the_history_and_is_published_nowhere(client: RoutingClient) -> None:
    hire_linus(client)
    note = "<b>Knows us</b> from Lisbon"
    client.say("reject", {"reason": "no_capacity", "note": note})

    for reader in ("grace", "linus", "ops"):
        [rejected] = [
            it
            for it in client.get(f"/handoffs/{ADA}", by=reader)["history"]
            if it["change"] == "rejected"
        ]
        assert rejected["details"] == {"reason": "no_capacity", "note": note, "then": "reassign"}
    with client.sessions() as session:
        assert "Lisbon" not in str(announced(session))


@pytest.mark.parametrize(
    ("verb", "body", "code"),
    [
        ("contact", {"channel": "phone", "outcome": "sang_a_song"}, "unknown_reason"),
        ("pause", {"reason": "bored"}, "unknown_reason"),
        ("pause", {}, "invalid_request"),
        ("accept", {"note": ""}, "invalid_request"),
        ("accept", {"note": "x" * 2_001}, "invalid_request"),
        ("accept", {"note": "\u0000"}, "invalid_request"),
        ("resume", {"reason": "on_leave"}, "invalid_request"),
    ],
)
def test_what_the_agreement_does_not_list_is_refused(
    client: RoutingClient, verb: str, body: dict[str, Any], code: str
) -> None:
    assert client.say(verb, body, status=422)["code"] == code
    assert client.announced_changes() == [("assigned", "grace")]
