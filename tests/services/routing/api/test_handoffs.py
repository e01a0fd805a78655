"""Handoffs over HTTP: their list, one with its history, and what a rep's key shows of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.routing.api.handoffs import HandoffFilter, Sort, list_handoffs
from services.routing.domain.handoff import State, handoff_id
from shared.auth.keys import Caller, KeyScope
from shared.contracts.payloads import LeadContext
from tests.builders import NOON, an_id, lead_qualified
from tests.services.routing.builders import build_assigner, qualifying
from tests.services.routing.client import ADA, RoutingClient, hire_linus

pytestmark = pytest.mark.postgres


def test_handoffs_are_listed_and_filtered_in_pages(client: RoutingClient) -> None:
    with client.sessions.begin() as session:
        assigner = build_assigner(session)
        leads = [lead_qualified(lead=f"l{n}", at=NOON - timedelta(hours=n + 1)) for n in range(3)]
        qualifying(session, assigner, *leads)

    first = client.get("/handoffs", limit=3)
    rest = client.get("/handoffs", limit=3, after=first["next"])

    assert [it["lead_id"] for it in first["items"] + rest["items"]] == [
        str(an_id(it)) for it in ("ada", "l0", "l1", "l2")
    ]
    assert rest["next"] is None
    assert len(client.get("/handoffs", state="waiting")["items"]) == 3
    assert len(client.get("/handoffs", rep="grace")["items"]) == 1
    assert len(client.get("/handoffs", lead=str(an_id("l1")))["items"]) == 1
    assert len(client.get("/handoffs", by="grace", rep="linus")["items"]) == 1
    assert client.get("/handoffs", by="linus")["items"] == []
    assert client.get("/handoffs", after="x", status=400)["code"] == "bad_cursor"


def test_one_handoff_has_its_decisions_its_history_and_its_deliveries(
    client: RoutingClient,
) -> None:
    story = client.get(f"/handoffs/{ADA}")

    assert story["decision"]["picked"] == "grace"
    assert story["decision"]["agreement_version"] == 1
    assert [it["hop"] for it in story["decisions"]] == [1]
    assert story["lead"]["email"] == "ada@example.com"
    assert [it["type"] for it in story["deliveries"]] == ["handoff.assigned"]
    assert client.get(f"/handoffs/{ADA}", by="linus", status=403)["code"] == "not_your_handoff"
    assert client.get(f"/handoffs/{UUID(int=1)}", status=404)["code"] == "unknown_handoff"


def test_a_merged_handoff_without_a_decision_can_be_read(client: RoutingClient) -> None:
    with client.sessions.begin() as session:
        assigner = build_assigner(session)
        qualifying(session, assigner, lead_qualified(lead="ada", qualification=2))

    merged = client.get(f"/handoffs/{handoff_id(an_id('ada'), 2)}")

    assert (merged["state"], merged["merged_into"]) == ("merged", str(ADA))
    assert merged["decision"] is None


def candidates(story: dict[str, Any]) -> list[list[str]]:
    """The candidates of each decision."""
    return [[it["rep"] for it in decision["candidates"]] for decision in story["decisions"]]


def test_the_holder_sees_everything_but_the_loads_of_others(client: RoutingClient) -> None:
    hire_linus(client)
    client.say("reassign", {"hop": 1}, by="ops")
    whole = client.get(f"/handoffs/{ADA}")

    body = client.get(f"/handoffs/{ADA}", by="linus")

    assert candidates(whole) == [["grace", "linus"]] * 2
    assert candidates(body) == [["linus"]] * 2
    assert body["decision"] == body["decisions"][-1]
    assert [it["endpoint"] for it in body["deliveries"]] == ["rep/linus"]
    hidden = ("decision", "decisions", "deliveries")
    assert {it: body[it] for it in body if it not in hidden} == {
        it: whole[it] for it in whole if it not in hidden
    }


@pytest.mark.parametrize("by", ["ops", "grace"])
def test_an_earlier_rep_sees_nothing_that_came_later(client: RoutingClient, by: str) -> None:
    hire_linus(client)
    lost = (
        client.say("reassign", {"hop": 1}, by="ops")
        if by == "ops"
        else client.say("reject", {"reason": "no_capacity"})
    )
    body = client.get(f"/handoffs/{ADA}", by="grace")
    if by == "grace":
        assert lost == body
    client.say("accept", by="linus")
    client.say("win", {"amount": 9, "currency": "EUR"}, by="linus")

    assert client.get(f"/handoffs/{ADA}", by="grace") == body
    assert (body["state"], body["rep"], body["hop"]) == ("waiting", None, 1)
    assert (body["assigned_at"], body["closed_at"]) == (None, None)
    change = "rejected" if by == "grace" else "reassigned"
    assert [it["change"] for it in body["history"]] == ["assigned", change]
    assert body["history"][-1]["actor"] == f"{'rep' if by == 'grace' else 'ops'}/{by}"
    assert candidates(body) == [["grace"]]
    assert {it["endpoint"] for it in body["deliveries"]} == {"rep/grace"}
    assert "linus" not in str(body)
    assert client.get("/handoffs", by="grace")["items"] == []


def test_a_rep_who_closed_a_handoff_still_sees_it(client: RoutingClient) -> None:
    client.say("lose", {"reason": "price"})
    body = client.get(f"/handoffs/{ADA}", by="grace")

    assert (body["state"], body["rep"], len(body["history"])) == ("lost", "grace", 2)
    assert [it["id"] for it in client.get("/handoffs", by="grace")["items"]] == [str(ADA)]


def test_a_list_is_narrowed_by_every_filter_and_sorted_either_way(client: RoutingClient) -> None:
    hire_linus(client)
    with client.sessions.begin() as session:
        assigner = build_assigner(session)
        context = LeadContext(
            email="alan@example.com", sources=("website", "crm"), last_campaign={"name": "spring"}
        )
        alan = lead_qualified(
            lead="alan", at=NOON - timedelta(hours=1), tier="enterprise", context=context
        )
        qualifying(session, assigner, alan)

    def leads(**query: Any) -> list[str]:
        return [it["lead_id"] for it in client.get("/handoffs", **query)["items"]]

    ada, alan_id = str(an_id("ada")), str(an_id("alan"))
    assert leads() == [ada, alan_id]
    assert leads(sort="oldest") == [alan_id, ada]
    assert leads(state=["waiting", "assigned"]) == [ada, alan_id]
    assert leads(state=["waiting", "won"]) == []
    for query in ({"tier": "enterprise"}, {"source": "crm"}, {"campaign": "spring"}):
        assert leads(**query) == [alan_id]
        assert leads(**query, state="assigned", team="sales") == [alan_id]
        assert leads(**query, rep="grace") == []
    client.get("/handoffs", status=422, state=["waiting"] * (len(State) + 1))
    client.get("/handoffs", status=422, sort="by name")


def test_a_page_that_ends_early_leads_to_the_next(client: RoutingClient) -> None:
    with client.sessions.begin() as session:
        assigner = build_assigner(session)
        leads = [lead_qualified(lead=f"l{n}", at=NOON - timedelta(hours=n + 1)) for n in range(5)]
        qualifying(session, assigner, *leads)
    caller = Caller("key", KeyScope.OPS, "ops")
    filter_ = HandoffFilter(rep="grace", sort=Sort.OLDEST, limit=10)

    sizes = []
    with client.sessions() as session:
        while True:
            page = list_handoffs(session, caller, filter_, max_examined=2)
            sizes.append(len(page.items))
            if page.next is None:
                break
            filter_ = filter_.model_copy(update={"after": page.next})

    assert sizes == [0, 0, 1, 0]


def test_handoffs_are_counted_by_what_they_have_in_common(client: RoutingClient) -> None:
    with client.sessions.begin() as session:
        qualifying(session, build_assigner(session), lead_qualified(lead="alan"))

    counts = client.get("/handoffs/counts")
    own = client.get("/handoffs/counts", by="grace")

    assert counts == {
        "live": 2,
        "by_state": {"assigned": 1, "waiting": 1},
        "by_team": {"sales": 2},
        "by_rep": {"grace": 1},
        "by_tier": {"standard": 2},
        "closed": [],
    }
    assert (own["live"], own["by_rep"], own["by_state"]) == (1, {"grace": 1}, {"assigned": 1})
    client.say("lose", {"reason": "price"})
    closed = [{"day": "2026-11-18", "state": "lost", "count": 1}]
    assert client.get("/handoffs/counts")["closed"] == closed
    assert client.get("/handoffs/counts", by="grace")["closed"] == closed
    assert client.get("/handoffs/counts", by="linus")["closed"] == []
    client.get("/handoffs/counts", days=32, status=422)
