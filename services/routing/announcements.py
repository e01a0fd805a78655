"""What routing announces: steps of handoffs and plans of teams as outbox records, assignments as notifications."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.routing.domain import notifications
from services.routing.domain.applied_terms import PromisedHandoff, Versions
from services.routing.domain.capacity import CapacityPlan
from services.routing.domain.handoff import Handoff, Step
from services.routing.domain.notifications import Notification
from shared.contracts.payloads import CapacityDay, CapacityPlanned
from shared.contracts.topic import Outgoing
from shared.contracts.topics import CAPACITY_PLANNED, HANDOFFS_CHANGED
from shared.process.tracing import child_of

SOURCE = "leadbaton/routing"


def handoffs_changed(steps: Iterable[Step]) -> list[Outgoing]:
    """One record of `handoffs.changed` for each step."""
    return [_handoff_changed(it, str(it.handoff.id)) for it in steps]


def _handoff_changed(step: Step, handoff_id: str) -> Outgoing:
    return HANDOFFS_CHANGED.record(
        step.payload(),
        key=handoff_id,
        id=f"{handoff_id}/{step.handoff.sequence}",
        source=SOURCE,
        at=step.recorded_at,
        traceparent=child_of(
            step.handoff.traceparent,
            f"handoff {step.change}",
            since=step.recorded_at,
            facts={"leadbaton.handoff": handoff_id},
        ),
    )


def withdrawal_notifications(
    lost: Sequence[Handoff],
    after: Mapping[UUID, Handoff],
    *,
    reason: str,
    actor: str,
    public_url: str,
    now: datetime,
) -> list[Notification]:
    """One notification for each rep who lost a handoff; `after` has these as they are now, and those merged into."""
    return [
        notifications.withdrawal(
            it,
            after[after[it.id].merged_into or it.id],
            reason=reason,
            actor=actor,
            public_url=public_url,
            at=now,
        )
        for it in lost
    ]


def assignment_notifications(
    assigned: Sequence[PromisedHandoff], *, versions: Versions, public_url: str
) -> Iterator[Notification]:
    """One notification for the rep of each handoff; `versions` has every version by which promises of these count."""
    for promised in assigned:
        due = list(promised.due_times(versions))
        yield notifications.assignment(promised.handoff, due, public_url=public_url)


def capacity_planned(
    plans: Iterable[CapacityPlan], agreement_version: int, *, now: datetime
) -> list[Outgoing]:
    """One record of `capacity.planned` for each plan."""
    return [
        CAPACITY_PLANNED.encode(
            CapacityPlanned(
                team=plan.team,
                number=plan.number,
                planned_at=now,
                agreement_version=agreement_version,
                days=tuple(CapacityDay(**it._asdict()) for it in plan.days),
            ),
            id=f"{plan.team}/{plan.number}",
            source=SOURCE,
            at=now,
        )
        for plan in plans
    ]
