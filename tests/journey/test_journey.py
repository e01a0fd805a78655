"""The whole way of a lead: from a marketing event to a rep, to the win, or to a breach when the rep does not answer."""

from __future__ import annotations

import secrets

import pytest
from segment.analytics.client import Client

from services.cli.processes import ALIGNMENT_API, ROUTING_API, SCORING_API, SLA_API
from shared.process.tracing import trace_id
from tests.journey.world import Json, World, event, until

pytestmark = [pytest.mark.journey, pytest.mark.postgres]


def visits(email: str) -> list[Json]:
    """Three views of the prices by a person who fits, which is enough to qualify."""
    traits = {"employees": 500, "country": "DE"}
    prices = {"path": "/pricing"}
    return [
        event(email, "page_viewed", f"visit-{number}", traits=traits, properties=prices)
        for number in range(3)
    ]


def test_a_native_event_becomes_a_win(running: World) -> None:
    email = running.fresh("winner")

    trace = secrets.token_hex(16)

    answer = running.post(
        [*visits(email), {"id": "broken", "type": "page_viewed"}],
        traceparent=f"00-{trace}-{secrets.token_hex(8)}-01",
    )

    assert answer.status_code == 200
    results = answer.json()["results"]
    assert results.pop("broken")["status"] == "rejected"
    assert [it["status"] for it in results.values()] == ["ok", "ok", "ok"]
    handoff = running.handoff(email, "assigned")
    assert handoff["rep"] == "ada"
    lead = until(lambda: running.lead(email))
    assert lead["fit"] == 60
    assert lead["engagement"] == pytest.approx(48, abs=0.5)
    webhooks = until(lambda: running.receiver.of(handoff["id"], "handoff.assigned"))
    assert {it.endpoint for it in webhooks} == {"rep/ada"}
    assert {trace_id(it.traceparent) for it in webhooks} == {trace}
    assert running.receiver.faults == []

    wins(running, handoff["id"])

    until(
        lambda: met_policies(running, handoff["id"]) == {"accept", "first_touch"}, why="clocks met"
    )
    until(lambda: (running.lead(email) or {}).get("stage") == "won", why="stage won")
    assert "inbound" in str(running.get(SLA_API, "/v1/sla/attainment"))
    explanation = running.get(ROUTING_API, f"/v1/handoffs/{handoff['id']}")
    assert explanation["decision"]
    assert explanation["deliveries"]


def wins(running: World, handoff_id: str) -> None:
    """Let Ada accept, contact and win."""
    for verb, body in (
        ("accept", {}),
        ("contact", {"channel": "phone", "outcome": "reached"}),
        ("win", {"amount": 9000, "currency": "EUR"}),
    ):
        answer = running.answer("ada", handoff_id, verb, **body)
        assert answer.status_code == 200, answer.text


def met_policies(running: World, handoff_id: str) -> set[str]:
    """The policies of this handoff whose clocks are met."""
    clocks = running.clocks(handoff_id)
    return {policy for policy, clock in clocks.items() if clock["state"] == "met"}


def test_a_rep_who_does_not_answer_causes_a_breach(running: World) -> None:
    email = running.fresh("forgotten")
    running.send([event(email, "demo_requested", "asks", traits={"country": "AT"})])

    handoff = running.handoff(email, "assigned")

    def breach() -> Json | None:
        breaches = running.get(SLA_API, "/v1/sla/breaches", limit=200)["items"]
        return next((it for it in breaches if it["handoff_id"] == handoff["id"]), None)

    broken = until(breach, why="a breach")
    assert broken["policy"] == "patience"
    assert broken["breached_at"] == broken["due_at"]
    webhooks = until(
        lambda: running.receiver.of(handoff["id"], "handoff.breached"), why="fallback notified"
    )
    assert {it.endpoint for it in webhooks} == {"team/patient"}
    assert len({it.id for it in webhooks}) == 1


def test_an_unmodified_segment_client_is_understood(running: World) -> None:
    email = running.fresh("segment")
    failed: list[object] = []
    client = Client(
        running.keys["site"],
        host=running.installation.url(SCORING_API),
        gzip=True,
        on_error=lambda error, _: failed.append(error),
        timeout=15,
    )
    person = email.partition("@")[0]
    anonymous, user = f"browser-{person}", f"user-{person}"
    client.page(anonymous_id=anonymous, name="Prices", properties={"path": "/pricing"})
    client.identify(
        user_id=user,
        anonymous_id=anonymous,
        traits={"email": email, "employees": 500},
    )
    client.track(user_id=user, event="Demo Requested")
    client.flush()
    client.join()

    handoff = running.handoff(email, "assigned")

    assert failed == []
    assert handoff["tier"] == "hot"
    lead = running.lead(email)
    assert lead is not None
    events = running.get(SCORING_API, f"/v1/leads/{lead['id']}/events")["items"]
    assert {it["type"] for it in events} >= {"page_viewed", "demo_requested"}


def test_the_same_event_again_changes_nothing(running: World) -> None:
    email = running.fresh("again")
    once = [event(email, "demo_requested", "asks")]
    running.send(once)
    handoff = running.handoff(email, "assigned")

    running.send(once)
    running.send([*once, event(email, "page_viewed", "later")])

    lead = running.lead(email)
    assert lead is not None
    until(lambda: len(running.get(SCORING_API, f"/v1/leads/{lead['id']}/events")["items"]) == 2)
    assert [it["id"] for it in running.handoffs(email)] == [handoff["id"]]


def test_what_the_roster_can_take_is_announced_and_kept(running: World) -> None:
    def teams() -> set[str]:
        days = running.get(ALIGNMENT_API, "/v1/alignment/capacity", limit=500)["items"]
        return {it["team"] for it in days if it["unlimited"]}

    until(lambda: teams() == {"inbound", "patient"}, why="what both teams can take")


def test_the_doctor_finds_nothing_wrong(running: World) -> None:
    assert "wrong" not in running.command("doctor")
