"""Steps of ladders on a real PostgreSQL: reassigned, returned to the pool, or nothing, as an answer came first."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from services.routing.handlers import on_sla_changed
from services.routing.tables import broken_promises
from shared.contracts.payloads import Change, ClockChange
from tests.builders import NOON, lead_qualified, sla_changed, sla_message
from tests.services.routing.builders import (
    announced,
    entry,
    importing,
    qualifying,
)
from tests.services.routing.client import ADA, RoutingClient
from tests.services.routing.ladder import REPS, Ladder

pytestmark = pytest.mark.postgres


@pytest.fixture
def ladder(client: RoutingClient) -> Ladder:
    """Ada's handoff under a published agreement."""
    return Ladder(client)


def test_a_step_gives_the_handoff_to_another_rep_once(ladder: Ladder) -> None:
    for _ in range(2):
        ladder.announce("reassign", hop=1, rep=ladder.first)
        ladder.work()

    after = ladder.handoff
    assert (after["state"], after["hop"]) == ("assigned", 2)
    assert after["rep"] != ladder.first
    assert ladder.outcomes() == [(ladder.first, "reassigned")]
    with ladder.sessions() as session:
        step = announced(session)[-1]
    assert (step.change, step.reason, step.actor) == (Change.REASSIGNED, "promise_broken", None)
    assert [
        it["type"] for it in after["deliveries"] if it["endpoint"] == f"rep/{ladder.first}"
    ] == [
        "handoff.withdrawn",
        "handoff.assigned",
    ]


def test_an_acceptance_that_comes_first_wins(ladder: Ladder) -> None:
    ladder.announce("reassign", "return_to_pool")
    ladder.client.say("accept", by=ladder.first)
    ladder.work()

    after = ladder.handoff
    assert (after["state"], after["rep"], after["hop"]) == ("accepted", ladder.first, 1)
    assert ladder.outcomes() == [(ladder.first, "answered")] * 2
    assert ladder.notices() == []


def test_after_three_reps_it_is_in_the_pool_and_the_team_is_told(ladder: Ladder) -> None:
    reps = []
    for _ in range(5):
        reps.append(ladder.handoff["rep"])
        ladder.announce("reassign", rep=reps[-1] or "nobody")
        ladder.work()

    after = ladder.handoff
    assert (after["state"], after["rep"], after["hop"], after["pooled"]) == (
        "waiting",
        None,
        3,
        True,
    )
    assert len(set(reps[:3])) == 3
    assert reps[3:] == [None, None]
    assert [outcome for _, outcome in ladder.outcomes()][-1] == "returned_to_pool"
    assert ladder.notices() == [("team/sales", "returned_to_pool")]


def test_what_is_in_the_pool_waits_until_ops_assign_it(ladder: Ladder) -> None:
    ladder.announce("return_to_pool")
    ladder.work()
    with ladder.sessions.begin() as session:
        importing(session, *(entry(it) for it in (*REPS, "newcomer")))
    ladder.work()
    assert ladder.handoff["state"] == "waiting"

    moved = ladder.client.say("reassign", {"hop": 1}, by="ops")

    assert (moved["state"], moved["hop"], moved["pooled"]) == ("assigned", 2, False)
    assert moved["rep"] != ladder.first


def test_while_nobody_else_may_have_it_it_waits_and_the_team_is_told(ladder: Ladder) -> None:
    with ladder.sessions.begin() as session:
        importing(session, *(entry(it, active=it == ladder.first) for it in REPS))
    ladder.announce("reassign")
    ladder.work()

    assert ladder.outcomes() == [(ladder.first, "waiting")]
    assert ladder.notices() == [("team/sales", "waiting")]
    with ladder.sessions.begin() as session:
        importing(session, *(entry(it) for it in REPS))
    ladder.work()
    assert (ladder.handoff["state"], ladder.handoff["hop"]) == ("assigned", 2)


def test_steps_of_one_handoff_follow_one_another(ladder: Ladder) -> None:
    ladder.announce("return_to_pool", "reassign")
    ladder.work()

    assert sorted(outcome or "" for _, outcome in ladder.outcomes()) in (
        ["moved_on", "reassigned"],
        ["moved_on", "returned_to_pool"],
    )


def test_a_step_of_an_earlier_hop_does_nothing(ladder: Ladder) -> None:
    ladder.announce("reassign")
    ladder.work()
    ladder.announce("return_to_pool", hop=1, rep=ladder.first)
    ladder.work()

    assert ladder.handoff["hop"] == 2
    assert sorted(str(it) for _, it in ladder.outcomes()) == ["moved_on", "reassigned"]


def test_a_lead_does_not_return_to_a_rep_who_broke_an_earlier_promise_about_it(
    ladder: Ladder,
) -> None:
    """Grace broke one, the lead was lost and qualified again, for Linus: a step does not give it to Grace."""
    with ladder.sessions.begin() as session:
        broken = sla_changed(handoff_id=ADA, rep=ladder.first, step="none")
        on_sla_changed(session, [sla_message(broken)], NOON, assigner=ladder.assigner)
    ladder.client.say("lose", {"reason": "price"}, by=ladder.first)
    with ladder.sessions.begin() as session:
        importing(session, entry("grace", active=False), entry("linus"))
        qualifying(session, ladder.assigner, lead_qualified(qualification=2))
        importing(session, entry("grace"), entry("linus"))
    second = next(it for it in ladder.client.get("/handoffs")["items"] if it["qualification"] == 2)
    assert second["rep"] == "linus"
    step = sla_changed(
        ClockChange.ESCALATED, handoff_id=second["id"], rep=second["rep"], step="reassign"
    )
    with ladder.sessions.begin() as session:
        on_sla_changed(session, [sla_message(step)], NOON, assigner=ladder.assigner)
    ladder.work()

    decision = ladder.client.get(f"/handoffs/{second['id']}")["decision"]
    excluded = {it["rep"]: [e["reason"] for e in it["excluded"]] for it in decision["candidates"]}
    assert "refused" in excluded[ladder.first]


def test_a_promise_that_was_kept_after_all_does_not_count(ladder: Ladder) -> None:
    broken = sla_changed(handoff_id=ADA, rep=ladder.first, step="none")
    retracted = sla_changed(ClockChange.RETRACTED, handoff_id=ADA, rep=ladder.first)
    with ladder.sessions.begin() as session:
        for change in (broken, broken, retracted):
            on_sla_changed(session, [sla_message(change)], NOON, assigner=ladder.assigner)

        assert session.execute(select(broken_promises)).all() == []


def test_a_rep_sees_the_steps_of_their_own_hop(ladder: Ladder) -> None:
    with ladder.sessions.begin() as session:
        importing(session, entry("grace"), entry("linus"))
    ladder.announce("reassign")
    ladder.work()

    assert ladder.client.get(f"/handoffs/{ADA}", by="linus")["escalations"] == []
    assert len(ladder.client.get(f"/handoffs/{ADA}", by=ladder.first)["escalations"]) == 1
