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

    seen = client.get(f"/handoffs/{ADA}", by="linus")

    assert candidates(whole) == [["grace", "linus"]] * 2
    assert candidates(seen) == [["linus"]] * 2
    assert seen["decision"] == seen["decisions"][-1]
    assert [it["endpoint"] for it in seen["deliveries"]] == ["rep/linus"]
    hidden = ("decision", "decisions", "deliveries")
    assert {it: seen[it] for it in seen if it not in hidden} == {
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
    seen = client.get(f"/handoffs/{ADA}", by="grace")
    if by == "grace":
        assert lost == seen
    client.say("accept", by="linus")
    client.say("win", {"amount": 9, "currency": "EUR"}, by="linus")

    assert client.get(f"/handoffs/{ADA}", by="grace") == seen
    assert (seen["state"], seen["rep"], seen["hop"]) == ("waiting", None, 1)
    assert (seen["assigned_at"], seen["closed_at"]) == (None, None)
    assert [it["change"] for it in seen["history"]] == ["assigned", "rejected"]
    assert seen["history"][-1]["actor"] == f"{'rep' if by == 'grace' else 'ops'}/{by}"
    assert candidates(seen) == [["grace"]]
    assert [it["endpoint"] for it in seen["deliveries"]] == ["rep/grace"]
    assert "linus" not in str(seen)
    assert client.get("/handoffs", by="grace")["items"] == []


def test_a_rep_whose_answer_ended_a_handoff_goes_on_seeing_it(client: RoutingClient) -> None:
    client.say("lose", {"reason": "price"})
    seen = client.get(f"/handoffs/{ADA}", by="grace")

    assert (seen["state"], seen["rep"], len(seen["history"])) == ("lost", "grace", 2)
    assert [it["id"] for it in client.get("/handoffs", by="grace")["items"]] == [str(ADA)]
