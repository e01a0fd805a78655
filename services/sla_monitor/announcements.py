"""What is said about clocks, on its way to the outbox."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import orjson

from services.sla_monitor.domain.clocks import Transition
from shared.contracts.topic import Outgoing
from shared.contracts.topics import SLA_CHANGED
from shared.process.tracing import child_of

SOURCE = "leadbaton/sla"


def announcements(said: Iterable[Transition], *, now: datetime) -> Iterator[Outgoing]:
    """The steps as records, each in the trace of the handoff's last change; made while those before are stored."""
    for step in said:
        clock = step.clock
        yield SLA_CHANGED.record(
            written(step, now=now),
            key=str(clock.handoff_id),
            id=step.id,
            source=SOURCE,
            at=now,
            traceparent=child_of(
                clock.traceparent,
                f"clock {step.change}",
                since=now,
                facts={"leadbaton.clock": str(clock.id)},
            ),
        )


def written(step: Transition, *, now: datetime) -> bytes:
    """The step as `SlaChanged` would write it, in a third of the time: a hundred thousand may be due at once."""
    clock = step.clock
    told = {
        "clock_id": clock.id,
        "handoff_id": clock.handoff_id,
        "lead_id": clock.lead_id,
        "hop": clock.hop,
        "policy": clock.policy,
        "kind": clock.kind,
        "scope": clock.scope,
        "change": step.change,
        "occurred_at": step.occurred_at,
        "detected_at": now,
        "due_at": clock.due_at,
        "team": clock.team,
        "rep": clock.rep,
        "tier": clock.tier,
        "agreement_version": clock.agreement_version,
        "step": step.step,
    }
    if clock.rep is None:
        del told["rep"]
    if step.step is None:
        del told["step"]
    return orjson.dumps(told, option=orjson.OPT_UTC_Z)
