"""What a rep's key shows of handoffs, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.routing.answering import ADA, Desk, hire_linus

pytestmark = pytest.mark.postgres


def candidates(story: dict[str, Any]) -> list[list[str]]:
    """Who stands in each decision."""
    return [[it["rep"] for it in decision["candidates"]] for decision in story["decisions"]]


def test_a_rep_who_holds_a_handoff_sees_all_of_it_but_others_load(desk: Desk) -> None:
    hire_linus(desk)
    desk.say("reassign", {"hop": 1}, by="ops")
    whole = desk.get(f"/handoffs/{ADA}")

    seen = desk.get(f"/handoffs/{ADA}", by="linus")

    assert candidates(whole) == [["grace", "linus"]] * 2
    assert candidates(seen) == [["linus"]] * 2
    assert seen["decision"] == seen["decisions"][-1]
    assert [it["endpoint"] for it in seen["deliveries"]] == ["rep/linus"]
    hidden = ("decision", "decisions", "deliveries")
    assert {it: seen[it] for it in seen if it not in hidden} == {
        it: whole[it] for it in whole if it not in hidden
    }


@pytest.mark.parametrize("by", ["ops", "grace"])
def test_a_rep_who_lost_a_handoff_sees_nothing_that_came_after(desk: Desk, by: str) -> None:
    hire_linus(desk)
    lost = (
        desk.say("reassign", {"hop": 1}, by="ops")
        if by == "ops"
        else desk.say("reject", {"reason": "no_capacity"})
    )
    seen = desk.get(f"/handoffs/{ADA}", by="grace")
    if by == "grace":
        assert lost == seen
    desk.say("accept", by="linus")
    desk.say("win", {"amount": 9, "currency": "EUR"}, by="linus")

    assert desk.get(f"/handoffs/{ADA}", by="grace") == seen
    assert (seen["state"], seen["rep"], seen["hop"]) == ("waiting", None, 1)
    assert (seen["assigned_at"], seen["closed_at"]) == (None, None)
    assert [it["change"] for it in seen["history"]] == ["assigned", "rejected"]
    assert seen["history"][-1]["actor"] == f"{'rep' if by == 'grace' else 'ops'}/{by}"
    assert candidates(seen) == [["grace"]]
    assert [it["endpoint"] for it in seen["deliveries"]] == ["rep/grace"]
    assert "linus" not in str(seen)
    assert desk.get("/handoffs", by="grace")["items"] == []


def test_a_rep_whose_answer_ended_a_handoff_goes_on_seeing_it(desk: Desk) -> None:
    desk.say("lose", {"reason": "price"})
    seen = desk.get(f"/handoffs/{ADA}", by="grace")

    assert (seen["state"], seen["rep"], len(seen["history"])) == ("lost", "grace", 2)
    assert [it["id"] for it in desk.get("/handoffs", by="grace")["items"]] == [str(ADA)]
