"""Records for the outbox that announce changes of clocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from services.sla_monitor.domain.clocks import Transition
from shared.contracts.payloads import SlaChanged
from shared.contracts.topic import Outgoing
from shared.contracts.topics import SLA_CHANGED
from shared.process.tracing import child_of

SOURCE = "leadbaton/sla"


def clocks_changed(transitions: Iterable[Transition], *, now: datetime) -> Iterator[Outgoing]:
    """Yield a record for each transition, in the trace of the handoff's last change.

    It is a generator so that the outbox stores the first records while the next ones are encoded.
    """
    for transition in transitions:
        clock = transition.clock
        yield SLA_CHANGED.encode(
            payload_of(transition, now=now),
            id=transition.id,
            source=SOURCE,
            at=now,
            traceparent=child_of(
                clock.traceparent,
                f"clock {transition.change}",
                since=now,
                facts={"leadbaton.clock": str(clock.id)},
            ),
        )


def payload_of(transition: Transition, *, now: datetime) -> SlaChanged:
    """The transition as others read it; `now` is when it was detected."""
    clock, acknowledgement = transition.clock, transition.acknowledgement
    step = transition.escalation_step
    return SlaChanged(
        clock_id=clock.id,
        handoff_id=clock.handoff_id,
        lead_id=clock.lead_id,
        hop=clock.hop,
        policy=clock.policy,
        kind=clock.kind,
        scope=clock.scope,
        change=transition.change,
        occurred_at=transition.occurred_at,
        detected_at=now,
        due_at=clock.due_at,
        due_on=clock.due_on,
        team=clock.team,
        rep=clock.rep,
        tier=clock.tier,
        agreement_version=clock.agreement_version,
        step=transition.step,
        waits=step is not None and step.waits,
        lasts_s=step.lasts_s if step is not None and step.lasts_s else None,
        actor=None if acknowledgement is None else acknowledgement.actor,
        note=None if acknowledgement is None else acknowledgement.note,
    )
