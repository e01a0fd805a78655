"""What routing announces: steps of handoffs as outbox records, assignments as notifications of reps."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from services.routing.domain import notifications
from services.routing.domain.handoff import Handoff, Step
from services.routing.domain.notifications import DueTimes, Notification
from services.routing.domain.policy import RoutingPolicy, TeamPolicy
from shared.contracts.topic import Outgoing
from shared.contracts.topics import HANDOFFS_CHANGED
from shared.process.tracing import child_of

SOURCE = "leadbaton/routing"


def handoffs_changed(steps: Iterable[Step]) -> list[Outgoing]:
    """One record of `handoffs.changed` a step."""
    return [
        HANDOFFS_CHANGED.record(
            it.payload(),
            key=str(it.handoff.id),
            id=it.id,
            source=SOURCE,
            at=it.recorded_at,
            traceparent=child_of(
                it.handoff.traceparent,
                f"handoff {it.change}",
                since=it.recorded_at,
                facts={"leadbaton.handoff": str(it.handoff.id)},
            ),
        )
        for it in steps
    ]


def assignment_notifications(
    assigned: Sequence[Handoff],
    *,
    policies: Mapping[int, RoutingPolicy],
    team: TeamPolicy,
    public_url: str,
) -> Iterator[Notification]:
    """One notification a handoff, for its rep; `policies` has each handoff's version of the agreement."""
    due_times = {
        version: DueTimes(policy.agreement.sla.policies, team)
        for version, policy in policies.items()
    }
    return (
        notifications.assignment(
            it, due_times=due_times[it.agreement_version], public_url=public_url
        )
        for it in assigned
    )


def with_endpoint(handoffs: Iterable[Handoff], endpoints: Collection[str]) -> list[Handoff]:
    """The handoffs whose reps have an endpoint."""
    return [it for it in handoffs if it.rep and notifications.rep_endpoint(it.rep) in endpoints]
