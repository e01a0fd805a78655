"""Applications of a version of the agreement to running clocks: how far one is, and what it makes of each clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, NamedTuple
from uuid import UUID

from services.sla_monitor.domain.clocks import POLICY_ENDED, Clock
from services.sla_monitor.domain.reconciliation import ClockUpdate
from services.sla_monitor.domain.terms import AppliedVersion
from shared.errors import Rejected

EXAMPLES = 5
"""So many clocks are counts of each effect."""


class UnknownApplication(Rejected):
    """There is no such application."""

    code: ClassVar[str] = "unknown_application"
    status: ClassVar[int] = 404


class NotNewest(Rejected):
    """Another version of the agreement was published in the meantime."""

    code: ClassVar[str] = "not_newest"
    status: ClassVar[int] = 409


class PolicyInForce(Rejected):
    """A policy that the agreement in force has is not to be ended."""

    code: ClassVar[str] = "policy_in_force"
    status: ClassVar[int] = 409


class ApplicationState(StrEnum):
    """How far an application is. A newer one replaces one that runs."""

    RUNNING = "running"
    DONE = "done"
    REPLACED = "replaced"


class Effect(StrEnum):
    """What an application makes of an open clock."""

    EARLIER = "earlier"
    LATER = "later"
    UNCHANGED = "unchanged"
    """It counts by the new version, and is due when it was."""
    BREACHED = "breached"
    """Its new target has passed already: it is breached at this moment."""
    MET = "met"
    """The new version asks for less, which had happened before."""
    CANCELLED = "cancelled"
    """Its policy has ended."""
    KEPT = "kept"
    """It counts by its old version: it is overdue, or the new version does not have its team."""


class Application(NamedTuple):
    """A command of ops to apply a version, or the end of a policy; its progress is kept with each batch."""

    id: UUID
    version: int
    policy: str | None
    actor: str
    state: ApplicationState
    started_at: datetime
    ended_at: datetime | None = None
    position: UUID | None = None
    handoffs: int = 0
    effects: Mapping[Effect, int] = {}

    def applied(self, at: datetime) -> AppliedVersion:
        """The version as it is applied to a handoff at this instant."""
        return AppliedVersion(self.version, at, self.policy)

    def after_batch(
        self, handoff_ids: Sequence[UUID], effects: Mapping[Effect, int], *, now: datetime
    ) -> Application:
        """The application after these handoffs; done after none."""
        if not handoff_ids:
            return self._replace(state=ApplicationState.DONE, ended_at=now)
        counted = Counter(self.effects)
        counted.update(effects)
        return self._replace(
            position=handoff_ids[-1],
            handoffs=self.handoffs + len(handoff_ids),
            effects=dict(counted),
        )


class ClockEffect(NamedTuple):
    """A clock before and after an application."""

    effect: Effect
    before: Clock
    after: Clock


def effects_of(
    stored: Sequence[Clock],
    updates: Sequence[ClockUpdate],
    applied: AppliedVersion,
) -> list[ClockEffect]:
    """What the version makes of each open clock that it concerns."""
    after = {it.after.id: it.after for it in updates if it.after is not None}
    return [
        ClockEffect(_effect(clock, after.get(clock.id, clock), applied.applied_at), clock, moved)
        for clock in stored
        for moved in [after.get(clock.id, clock)]
        if clock.ended_at is None
        and clock.agreement_version < applied.version
        and applied.policy in {None, clock.policy}
    ]


def _effect(before: Clock, after: Clock, now: datetime) -> Effect:
    if after.ended_at is not None:
        return Effect.CANCELLED if after.ended_by == POLICY_ENDED else Effect.MET
    if after.agreement_version == before.agreement_version:
        return Effect.KEPT
    if after.due_at <= now:
        return Effect.BREACHED
    if after.due_at == before.due_at:
        return Effect.UNCHANGED
    return Effect.EARLIER if after.due_at < before.due_at else Effect.LATER


def examples_of(effects: Sequence[ClockEffect], *, per_effect: int = EXAMPLES) -> list[ClockEffect]:
    """A few clocks of each effect."""
    counts: Counter[Effect] = Counter()
    examples: list[ClockEffect] = []
    for clock_effect in effects:
        counts[clock_effect.effect] += 1
        if counts[clock_effect.effect] <= per_effect:
            examples.append(clock_effect)
    return examples
