"""What is said about clocks, on its way to the outbox."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from services.sla_monitor.domain.clocks import Said
from shared.contracts.payloads import SlaChanged
from shared.contracts.topic import Outgoing
from shared.contracts.topics import SLA_CHANGED
from shared.tracing import child_of

SOURCE = "leadbaton/sla"


def announcements(said: Iterable[Said], *, now: datetime) -> list[Outgoing]:
    """The steps as records, each in the trace of the handoff's last change."""
    return [
        SLA_CHANGED.encode(
            payload(step, now=now),
            id=step.id,
            source=SOURCE,
            at=now,
            traceparent=child_of(
                step.clock.traceparent,
                f"clock {step.change}",
                since=now,
                facts={"leadbaton.clock": str(step.clock.id)},
            ),
        )
        for step in said
    ]


def payload(step: Said, *, now: datetime) -> SlaChanged:
    """The step as others read it."""
    clock = step.clock
    return SlaChanged(
        clock_id=clock.id,
        handoff_id=clock.handoff_id,
        lead_id=clock.lead_id,
        hop=clock.hop,
        policy=clock.policy,
        kind=clock.kind,
        scope=clock.scope,
        change=step.change,
        occurred_at=step.occurred_at,
        detected_at=now,
        due_at=clock.due_at,
        team=clock.team,
        rep=clock.rep,
        tier=clock.tier,
        agreement_version=clock.agreement_version,
        step=step.step,
    )
