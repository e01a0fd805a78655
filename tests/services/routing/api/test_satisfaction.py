"""A won handoff takes contacts about the satisfaction of the customer, and stays closed in every other way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from services.routing.main import build_api
from services.routing.tables import reps
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from tests.builders import DEFAULT_SECTIONS, NOON, lead_qualified
from tests.services.routing.answer_site import SECRET, Site, send, served
from tests.services.routing.builders import (
    announced,
    build_assigner,
    entry,
    importing,
    qualifying,
)
from tests.services.routing.client import ADA, NOW, RoutingClient
from tests.serving import serving

pytestmark = pytest.mark.postgres

OUTCOMES = [
    {"id": "no_answer"},
    {"id": "satisfied", "label": "Is satisfied", "reached": True},
    {"id": "dissatisfied", "reached": True},
]
ROUTING = {**DEFAULT_SECTIONS["routing"], "contact_outcomes": OUTCOMES}
SATISFACTION = {
    "id": "customer_satisfaction",
    "kind": "satisfaction",
    "scope": "journey",
    "anchor": "won",
    "outcomes": ["satisfied", "dissatisfied"],
    "target": "80h",
}
ELSEWHERE = {
    **SATISFACTION,
    "id": "elsewhere",
    "when": 'tier == "enterprise"',
    "outcomes": ["no_answer"],
}
SLA = {
    **DEFAULT_SECTIONS["sla"],
    "policies": [*DEFAULT_SECTIONS["sla"]["policies"], SATISFACTION, ELSEWHERE],
}
SATISFIED = {"channel": "phone", "outcome": "satisfied"}
WON_AT = NOON + timedelta(minutes=5)


def prepare(sessions: Sessions) -> None:
    """Ada is with Grace, who has room for one lead; Bob waits."""
    with sessions.begin() as session:
        assigner = build_assigner(session, routing=ROUTING, sla=SLA)
        importing(session, entry("grace", capacity={"open": 1}))
        qualifying(session, assigner, lead_qualified(lead="ada"), lead_qualified(lead="bob"))


@pytest.fixture
def client(sessions: Sessions) -> Iterator[RoutingClient]:
    prepare(sessions)
    with TestClient(build_api(sessions, time_source=lambda: NOW)) as http_client:
        yield RoutingClient(http_client, sessions)


def win(client: RoutingClient) -> None:
    client.say("win", {"occurred_at": WON_AT.isoformat()})


@pytest.mark.parametrize("by", ["grace", "ops"])
def test_a_contact_about_satisfaction_stands_in_the_history_and_changes_nothing_else(
    client: RoutingClient, by: str
) -> None:
    win(client)
    before = client.get(f"/handoffs/{ADA}")
    loads = loads_of(client)
    assert before["outcomes_after_win"] == ["satisfied", "dissatisfied"]

    at = (WON_AT + timedelta(minutes=2)).isoformat()
    for _ in range(2):
        client.say("contact", {**SATISFIED, "occurred_at": at}, by=by)
    client.say("contact", {**SATISFIED, "outcome": "dissatisfied"}, by=by)

    after = client.get(f"/handoffs/{ADA}")
    assert [it["change"] for it in after["history"]] == [
        "assigned",
        "won",
        "contacted",
        "contacted",
    ]
    unchanged = ("state", "rep", "hop", "closed_at", "deliveries")
    assert {it: after[it] for it in unchanged} == {it: before[it] for it in unchanged}
    assert loads_of(client) == loads
    with client.sessions() as session:
        contacts = [it for it in announced(session) if it.change is Change.CONTACTED]
    assert [(it.outcome, it.rep, it.hop) for it in contacts] == [
        ("satisfied", "grace", 1),
        ("dissatisfied", "grace", 1),
    ]


def loads_of(client: RoutingClient) -> Any:
    with client.sessions() as session:
        return list(session.execute(select(*reps.c).order_by(reps.c.id)))


@pytest.mark.parametrize(
    ("verb", "body", "code"),
    [
        ("contact", {"channel": "phone", "outcome": "no_answer"}, "handoff_moved"),
        ("accept", None, "handoff_moved"),
        ("resume", None, "handoff_moved"),
        ("win", {"amount": 3, "currency": "EUR"}, "handoff_moved"),
        ("lose", {"reason": "price"}, "handoff_moved"),
        ("reject", {"reason": "no_capacity"}, "handoff_moved"),
        ("contact", {**SATISFIED, "hop": 2}, "handoff_moved"),
        (
            "contact",
            {**SATISFIED, "occurred_at": (WON_AT - timedelta(minutes=2)).isoformat()},
            "impossible_time",
        ),
    ],
    ids=[
        "other outcome",
        "accept",
        "resume",
        "win",
        "lose",
        "reject",
        "other hop",
        "before the win",
    ],
)
def test_a_won_handoff_takes_nothing_else(
    client: RoutingClient, verb: str, body: Any, code: str
) -> None:
    win(client)
    before = client.announced_changes()

    status = 422 if code == "impossible_time" else 409
    refused = client.say(verb, body, status=status)

    assert refused["code"] == code
    assert client.announced_changes() == before
    if "hop" not in (body or {}) and code == "handoff_moved":
        assert "takes only contacts with the outcome satisfied or dissatisfied" in refused["detail"]


def test_only_the_rep_who_won_and_ops_may_answer(client: RoutingClient) -> None:
    win(client)
    with client.sessions.begin() as session:
        importing(session, entry("grace"), entry("linus"))
    assert client.say("contact", SATISFIED, by="linus", status=403)["code"] == "not_your_handoff"


def test_before_the_win_the_outcome_is_that_of_any_contact(client: RoutingClient) -> None:
    assert client.say("contact", SATISFIED)["outcomes_after_win"] == []


@pytest.mark.parametrize(
    ("verb", "reason", "state"),
    [("lose", "price", "lost by grace"), ("reject", "not_ready", "recycled, without a rep")],
)
def test_other_ends_take_no_such_contact(
    client: RoutingClient, verb: str, reason: str, state: str
) -> None:
    client.say(verb, {"reason": reason})
    assert client.say("contact", SATISFIED, status=409)["detail"].endswith(state)


def test_without_such_a_promise_a_won_handoff_takes_nothing(sessions: Sessions) -> None:
    with sessions.begin() as session:
        assigner = build_assigner(session, routing=ROUTING)
        importing(session, entry("grace"))
        qualifying(session, assigner, lead_qualified(lead="ada"))
    with TestClient(build_api(sessions, time_source=lambda: NOW)) as http_client:
        client = RoutingClient(http_client, sessions)
        win(client)
        refused = client.say("contact", SATISFIED, status=409)
        assert refused["detail"].endswith("won by grace")
        assert client.get(f"/handoffs/{ADA}")["outcomes_after_win"] == []


@pytest.fixture
def site(sessions: Sessions) -> Iterator[Site]:
    prepare(sessions)
    site, app = served(sessions, SECRET)
    with TestClient(build_api(sessions, time_source=lambda: site.now)) as http_client:
        win(RoutingClient(http_client, sessions))
    with serving(app) as site.url:
        yield site


def test_the_answer_page_of_a_won_handoff_asks_how_it_goes_and_nothing_else(site: Site) -> None:
    with site.visit() as browser:
        page = browser.get(site.path())
        assert "You asked them how it goes" in page.text
        assert "Satisfaction by" in page.text
        assert "First touch by" not in page.text
        assert page.text.count('<button name="answer"') == 1
        assert 'value="no_answer"' not in page.text

        saved = send(browser, site, site.path(), "contacted", channel="phone", outcome="satisfied")
        refused = send(browser, site, site.path(), "rejected", reason="no_capacity")

    assert (saved.status_code, refused.status_code) == (200, 422)
    assert "Saved. Thank you." in saved.text
    assert "You reported a contact: satisfied" in saved.text
    assert "Satisfaction by" not in saved.text
    assert site.steps()[-1] == ("contacted", "grace")
