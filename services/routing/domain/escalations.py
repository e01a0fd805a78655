"""Steps of ladders that take handoffs from reps: when they do, and what came of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from services.routing.domain.handoff import SYSTEM, Handoff, State
from services.routing.domain.reassignment import Reassignment
from services.routing.domain.roster import Absence, RecordedAbsence
from shared.agreement.facts import promise_facts
from shared.agreement.model import Agreement
from shared.contracts.payloads import ClockChange, Scope, SlaChanged


class Action(StrEnum):
    """What a step does."""

    REASSIGN = "reassign"
    RETURN_TO_POOL = "return_to_pool"
    SET_UNAVAILABLE = "set_unavailable"


class StepOutcome(StrEnum):
    """What came of a step."""

    REASSIGNED = "reassigned"
    WAITING = "waiting"
    RETURNED_TO_POOL = "returned_to_pool"
    UNAVAILABLE = "unavailable"
    ALREADY_AWAY = "already_away"
    ANSWERED = "answered"
    MOVED_ON = "moved_on"

    @property
    def concerns_lead(self) -> bool:
        """Whether no rep has the handoff afterwards, which the lead of the team is notified of."""
        return self in (StepOutcome.WAITING, StepOutcome.RETURNED_TO_POOL)


PROMISE_BROKEN = Reassignment(SYSTEM, "promise_broken")
"""The command with which a ladder gives a handoff to another rep."""
REP_AWAY = Reassignment(SYSTEM, "rep_away")
"""The command with which it does so before the breach, as the rep is on time off."""


class KeptWhileAway(NamedTuple):
    """A handoff that a rep on time off has not accepted."""

    handoff_id: UUID
    hop: int
    rep: str
    terms: Terms


class Terms(NamedTuple):
    """What decides which promises hold for a handoff."""

    agreement_version: int
    tier: str
    team: str
    sources: tuple[str, ...] = ()
    campaign: str = ""
    persona: str = ""


def reassigning_policy(agreement: Agreement, terms: Terms) -> str | None:
    """The first promise for such handoffs whose ladder reassigns; None where none does."""
    facts = promise_facts(
        terms.tier,
        terms.team,
        sources=terms.sources,
        campaign=terms.campaign,
        persona=terms.persona,
    )
    policies = (
        policy.id
        for policy in agreement.sla.policies
        if any(step.do == "reassign" for step in policy.ladder)
        and (policy.when is None or policy.when.holds(facts))
    )
    return next(policies, None)


@dataclass(frozen=True, slots=True)
class Escalation:
    """A step of a ladder about one hop of a handoff."""

    id: str
    """The id of the message that announced it."""
    handoff_id: UUID
    hop: int
    rep: str
    step: Action
    policy: str
    due_at: datetime
    clock: SlaChanged | None = None
    outcome: StepOutcome | None = None
    done_at: datetime | None = None

    @classmethod
    def of(cls, clock: SlaChanged, cause: str) -> Escalation | None:
        """The step that this change of a clock is; None where it is none that takes a handoff from its rep."""
        action = next((it for it in Action if it == clock.step), None)
        if clock.change is not ClockChange.ESCALATED or action is None or clock.rep is None:
            return None
        return cls(
            cause,
            clock.handoff_id,
            clock.hop,
            clock.rep,
            action,
            clock.policy,
            clock.occurred_at,
            clock,
        )

    @classmethod
    def of_rep_away(cls, kept: KeptWhileAway, policy: str, *, now: datetime) -> Escalation:
        """The step that takes a handoff from a rep on time off: it is due at once."""
        cause = f"{kept.handoff_id}/{kept.hop}/away"
        return cls(cause, kept.handoff_id, kept.hop, kept.rep, Action.REASSIGN, policy, now)

    @property
    def command(self) -> Reassignment:
        """The command that gives the handoff to another rep."""
        return REP_AWAY if self.clock is None else PROMISE_BROKEN

    def obstacle(self, handoff: Handoff | None) -> StepOutcome | None:
        """Why the step does nothing: the rep has answered, or does not have the handoff any more; else None."""
        if handoff is None or handoff.hop != self.hop or not handoff.state.held:
            return StepOutcome.MOVED_ON
        return None if handoff.state is State.ASSIGNED else StepOutcome.ANSWERED

    def absence(self, *, now: datetime) -> RecordedAbsence:
        """The absence of the rep that a step which sets them unavailable records."""
        lasts_s = 0 if self.clock is None else self.clock.lasts_s or 0
        return RecordedAbsence(Absence(now, now + timedelta(seconds=lasts_s)), SYSTEM)

    def keeps_rep(self, handoff: Handoff | None, *, is_taken: bool) -> StepOutcome | None:
        """Why the step does not set the rep unavailable; None if it does.

        `is_taken` says that another step took the handoff from this rep, who had not answered then either.
        """
        obstacle = self.obstacle(handoff)
        return None if obstacle is StepOutcome.MOVED_ON and is_taken else obstacle

    def returns_to_pool(self, *, max_hops: int) -> bool:
        """Whether no further rep gets the handoff."""
        return self.step is Action.RETURN_TO_POOL or self.hop >= max_hops


def is_broken_promise(clock: SlaChanged) -> bool:
    """Whether the change says that a rep broke the promise of a hop."""
    is_breach = clock.change is ClockChange.BREACHED
    return is_breach and clock.scope is Scope.HOP and clock.rep is not None


def first_of_each_handoff(pending: Iterable[Escalation]) -> list[Escalation]:
    """Of each handoff the first step: the next one is judged by what comes of it."""
    first: dict[UUID, Escalation] = {}
    for escalation in pending:
        first.setdefault(escalation.handoff_id, escalation)
    return list(first.values())


@dataclass(slots=True)
class Plan:
    """What the steps at hand do: which handoffs go to other reps, which to the pool, and which stay."""

    reassigned: dict[Reassignment, list[Handoff]] = field(default_factory=dict)
    pooled: list[Handoff] = field(default_factory=list)
    outcomes: dict[str, StepOutcome] = field(default_factory=dict)
    """What came of a step, by its id; of those that reassign it is known when that is done."""

    def add(self, escalation: Escalation, handoff: Handoff | None, *, max_hops: int) -> None:
        """Plan what the step does with the handoff, which is locked if a rep holds it."""
        obstacle = escalation.obstacle(handoff)
        if obstacle is not None or handoff is None:
            self.outcomes[escalation.id] = obstacle or StepOutcome.MOVED_ON
        elif escalation.returns_to_pool(max_hops=max_hops):
            self.pooled.append(handoff)
            self.outcomes[escalation.id] = StepOutcome.RETURNED_TO_POOL
        else:
            self.reassigned.setdefault(escalation.command, []).append(handoff)
            self.outcomes[escalation.id] = StepOutcome.REASSIGNED

    @property
    def moved(self) -> list[Handoff]:
        """The handoffs that are taken from their reps."""
        return [*chain.from_iterable(self.reassigned.values()), *self.pooled]
