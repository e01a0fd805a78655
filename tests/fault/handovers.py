"""Leads that ask for a demo while processes are killed: their handoffs, and whether each change came once."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import httpx
from sqlalchemy import Row, text

from services.cli.processes import (
    RELAY,
    ROUTING_DELIVERY,
    ROUTING_WORKER,
    SCORING_API,
    SLA_SWEEP,
    SLA_WORKER,
    Process,
)
from shared.db.session import Sessions
from tests.fault.processes import metric
from tests.fault.proof import Disturbance
from tests.journey.receiver import Receiver
from tests.journey.world import World, event, until

VICTIMS = {
    SLA_WORKER: "leadbaton_consumed_records_total",
    SLA_SWEEP: "leadbaton_sla_fired_total",
    RELAY: "leadbaton_outbox_published_total",
    ROUTING_WORKER: "leadbaton_consumed_records_total",
    ROUTING_DELIVERY: "leadbaton_delivery_attempts_total",
}
"""The processes that a step passes through, each with the counter that shows that it has worked."""
PATIENCE_S = 150.0

Facts = Sequence[Row[Any]]


def send_requests(world: World, emails: Sequence[str], *, country: str) -> None:
    """Let these people ask for a demo, as good clients do: again until it is accepted."""
    traits = {"country": country, "employees": 5}
    events = [event(it, "demo_requested", "asked", traits=traits) for it in emails]

    def is_accepted() -> bool:
        try:
            with world.client(SCORING_API, "site-0") as client:
                answer = client.post("/v1/events", json=events)
        except httpx.TransportError:
            return False
        if answer.status_code != 200:
            return False
        return {it["status"] for it in answer.json()["results"].values()} == {"ok"}

    until(is_accepted, within_s=PATIENCE_S, why="the leads are accepted", every_s=0.3)


def kill(disturbance: Disturbance, victim: Process) -> None:
    """Kill the process, and wait until it has worked again."""
    began_s = time.monotonic()
    disturbance.world.kill(victim)
    until(
        lambda: metric(disturbance.world, victim.name, VICTIMS[victim]) > 0,
        within_s=PATIENCE_S,
        why=f"{victim.name} works again",
    )
    disturbance.times += 1
    disturbance.recover_s.append(time.monotonic() - began_s)


def rows_of(sessions: Sessions, statement: str, emails: Sequence[str]) -> Facts:
    """The rows of a statement about the leads with these addresses."""
    leads = "select lead_id from scoring.identities where key = any(:keys)"
    with sessions() as session:
        parameters = {"keys": [f"email/{it}" for it in emails]}
        return session.execute(text(f"with leads as ({leads}) {statement}"), parameters).all()


OF_LEADS = "from routing.handoffs handoff join leads on handoff.lead_id = leads.lead_id"
_UNSETTLED = f"""
    select
        (select count(*) {OF_LEADS} join routing.escalations step on step.handoff_id = handoff.id
         where step.outcome is not null) as steps,
        (select count(*) {OF_LEADS} join routing.deliveries delivery on delivery.handoff_id = handoff.id
         where delivery.state = 'pending') as undelivered,
        (select count(*) {OF_LEADS} join sla.clocks clock on clock.handoff_id = handoff.id
         where clock.kind = 'accept' and clock.state = 'running') as running
"""


def settle(sessions: Sessions, emails: Sequence[str], *, steps: int) -> None:
    """Return when so many steps are taken, no clock runs any more, and no webhook is on its way."""
    last: list[Row[Any]] = []

    def is_settled() -> bool:
        [counts] = last[:] = rows_of(sessions, _UNSETTLED, emails)
        return bool(counts.steps >= steps and counts.undelivered == counts.running == 0)

    try:
        until(is_settled, within_s=PATIENCE_S, every_s=0.3)
    except AssertionError:
        raise AssertionError(f"these do not settle: {last}") from None


def check_changes(
    sessions: Sessions,
    emails: Sequence[str],
    *,
    hops: int | None = None,
    ends_in_pool: bool = False,
) -> None:
    """Each handoff has every change once: an assignment for each hop, and at its end the pool."""
    statement = f"""
        select handoff.id, handoff.hop as last_hop, handoff.pooled,
            change.sequence, change.change, change.hop, change.rep
        {OF_LEADS} join routing.changes change on change.handoff_id = handoff.id
        order by handoff.id, change.sequence
    """
    histories: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows_of(sessions, statement, emails):
        histories[str(row.id)].append(row)
    assert len(histories) == len(emails)
    for history in histories.values():
        last = history[-1]
        assigned = [it for it in history if it.change in ("assigned", "reassigned")]
        assert [it.sequence for it in history] == list(range(1, len(history) + 1)), history
        assert [it.hop for it in assigned] == list(range(1, (hops or last.last_hop) + 1)), history
        if ends_in_pool:
            assert len({it.rep for it in assigned}) == len(assigned), history
            assert (last.change, last.pooled) == ("waiting", True), history


def check_webhooks(sessions: Sessions, emails: Sequence[str], receiver: Receiver) -> None:
    """Each hop and each loss of one was announced once, each breach too, and arrived under its own id alone.

    What a rep would have got about a handoff that is lost meanwhile may be cancelled, and may have arrived.
    """
    breach = "convert_from(delivery.body, 'UTF8')::jsonb #>> "
    statement = f"""
        select handoff.id, handoff.hop as last_hop, handoff.rep, delivery.id as delivery, delivery.hop, delivery.type,
            delivery.state, {breach} '{{data,breach,clock_id}}' as clock, {breach} '{{data,breach,outcome}}' as outcome
        {OF_LEADS} join routing.deliveries delivery on delivery.handoff_id = handoff.id
    """
    rows = rows_of(sessions, statement, emails)
    causes = [(it.id, it.type, it.clock or it.hop, it.outcome) for it in rows]
    assert len(causes) == len(set(causes)), "a notification has two ids"
    hops = {(it.id, hop) for it in rows for hop in range(1, it.last_hop + 1)}
    held = {(it.id, it.last_hop) for it in rows if it.rep is not None}
    assert {(it.id, it.hop) for it in rows if it.type == "handoff.assigned"} == hops
    assert {(it.id, it.hop) for it in rows if it.type == "handoff.withdrawn"} == hops - held
    _check_arrivals(rows, receiver)


def _check_arrivals(rows: Facts, receiver: Receiver) -> None:
    handoffs = {str(it.id) for it in rows}
    webhooks = list(receiver.webhooks)
    received = {it.id for it in webhooks if it.body["data"]["handoff"]["id"] in handoffs}
    assert {it.state for it in rows} <= {"delivered", "cancelled"}
    assert {it.type for it in rows if it.state == "cancelled"} <= {"handoff.assigned"}
    assert {str(it.delivery) for it in rows if it.state == "delivered"} <= received
    assert received <= {str(it.delivery) for it in rows}
    assert receiver.faults == []
