"""What a rep's key shows of handoffs, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.routing.client import ADA, RoutingClient, hire_linus

pytestmark = pytest.mark.postgres


def candidates(story: dict[str, Any]) -> list[list[str]]:
    """Who stands in each decision."""
    return [[it["rep"] for it in decision["candidates"]] for decision in story["decisions"]]


def test_a_rep_who_holds_a_handoff_sees_all_of_it_but_others_load(client: RoutingClient) -> None:
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
def test_a_rep_who_lost_a_handoff_sees_nothing_that_came_after(
    client: RoutingClient, by: str
) -> None:
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
    assert [it["change"] for it in body["history"]] == ["assigned", "rejected"]
    assert body["history"][-1]["actor"] == f"{'rep' if by == 'grace' else 'ops'}/{by}"
    assert candidates(body) == [["grace"]]
    assert [it["endpoint"] for it in body["deliveries"]] == ["rep/grace"]
    assert "linus" not in str(body)
    assert client.get("/handoffs", by="grace")["items"] == []


def test_a_rep_whose_answer_ended_a_handoff_goes_on_seeing_it(client: RoutingClient) -> None:
    client.say("lose", {"reason": "price"})
    body = client.get(f"/handoffs/{ADA}", by="grace")

    assert (body["state"], body["rep"], len(body["history"])) == ("lost", "grace", 2)
    assert [it["id"] for it in client.get("/handoffs", by="grace")["items"]] == [str(ADA)]
