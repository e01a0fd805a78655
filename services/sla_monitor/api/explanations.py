"""The explanation of a clock: which hours it counted until it was due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from services.sla_monitor.api.clocks import ClockOut, clock_fields
from services.sla_monitor.api.filters import KEY_ERRORS, visible_to
from services.sla_monitor.domain.clocks import Acknowledgement, Clock, UnknownClock
from services.sla_monitor.domain.derivation import derive_with_terms
from services.sla_monitor.domain.explanations import (
    MAX_INTERVALS,
    ExplainedPause,
    Explanation,
    Interval,
    explain,
)
from services.sla_monitor.domain.histories import history_of
from services.sla_monitor.domain.pauses import clock_pauses
from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.domain.stops import ATTEMPTS, attempts_of, has_reached
from services.sla_monitor.domain.terms import AppliedVersion, Terms, versions_of
from services.sla_monitor.queries import applications, changes, lists
from services.sla_monitor.queries.acknowledgements import acknowledgements_of
from shared.agreement.store import Policies
from shared.calendar import WorkingHours
from shared.contracts.payloads import HandoffChanged
from shared.http.dependencies import AnyReader, Now, Tx
from shared.http.problems import InvalidRequest, problems

ClockId = Annotated[UUID, Path(description="The id of the clock, as the lists have it.")]


class IntervalOut(BaseModel):
    """An interval of working hours."""

    since: datetime
    until: datetime
    seconds: float

    @classmethod
    def of(cls, interval: Interval) -> IntervalOut:
        """The interval as it is answered."""
        return cls(since=interval.since, until=interval.until, seconds=interval.seconds)


class EscalationStepOut(BaseModel):
    """A step of the ladder, before the breach or after it."""

    at: datetime
    step: str = Field(
        description="Who is notified: rep, lead, team or ops. Or what is done: reassign, return_to_pool or "
        "set_unavailable."
    )
    waits: bool = Field(description="Whether the message waits for the hours of its receiver.")
    lasts_s: int = Field(description="How long `set_unavailable` lasts; else 0.")
    is_done: bool = Field(
        description="Whether its time is over; a step before a breach that was detected late is left out."
    )


class SkippedOut(BaseModel):
    """A date whose hours did not count."""

    on: date
    holiday: str


class PauseOut(BaseModel):
    """A pause whose working time did not count."""

    since: datetime
    until: datetime = Field(description="When it ended, or ends by itself unless it is resumed.")
    reason: str
    actor: str | None = Field(description="Who paused it: rep/ID or ops/NAME.")
    ended_by: str | None = Field(
        description="The change that ended it; null where it ends by itself, after the longest time of its reason."
    )
    seconds: float = Field(description="The working time that it takes out.")

    @classmethod
    def of(cls, explained: ExplainedPause) -> PauseOut:
        """The pause as it is answered."""
        return cls(**explained.pause._asdict(), seconds=explained.length.total_seconds())


class TermsOut(BaseModel):
    """The terms by which a clock counted from an instant on."""

    since: datetime
    agreement_version: int
    calendar: str
    target_s: float

    @classmethod
    def of(cls, terms: Terms, clock: Clock) -> TermsOut:
        """The terms as they are answered."""
        return cls(
            since=terms.applied_at or clock.started_at,
            agreement_version=terms.sla_policy.version,
            calendar=terms.calendar.calendar.id,
            target_s=terms.policy.target.total_seconds(),
        )


class AttemptOut(BaseModel):
    """An attempt to contact the person."""

    at: datetime
    actor: str | None = Field(description="Who made it: rep/ID or ops/NAME.")
    outcome: str | None
    reached: bool = Field(description="Whether the person was reached, which meets the promise.")

    @classmethod
    def of(cls, attempt: HandoffChanged) -> AttemptOut:
        """The attempt as it is answered."""
        reached, outcome = has_reached(attempt), attempt.outcome
        return cls(at=attempt.occurred_at, actor=attempt.actor, outcome=outcome, reached=reached)


class ExplanationOut(ClockOut):
    """A clock with every interval that it counted, so that a person can check the sum."""

    zone: str
    intervals: list[IntervalOut] = Field(
        description="Working hours from the start to the due time, without pauses; their sum is the target, or "
        "more where less was promised only after so much had passed."
    )
    terms: list[TermsOut] = Field(
        description="The versions by which it counted, in order of time: several where ops applied a newer one."
    )
    pauses: list[PauseOut] = Field(
        description="Pauses that began before the due time; a later one changes nothing."
    )
    attempts: list[AttemptOut] = Field(
        description="Of a promise of attempts: those that were made, in order; else empty."
    )
    counted_s: float = Field(description="The sum of the intervals.")
    holidays: list[SkippedOut] = Field(
        description="Dates whose hours did not count, until it was due, or ended later than that."
    )
    breaks: list[IntervalOut] = Field(
        description=f"Breaks that did not count, within the same time: the first {MAX_INTERVALS}."
    )
    spent_s: float = Field(description="Business time until it ended, or until now.")
    overdue_intervals: list[IntervalOut] = Field(
        description="Working hours from the due time until it ended, or until now: the first "
        f"{MAX_INTERVALS} of them."
    )
    overdue_business_s: float = Field(description="Business time after it was due.")
    escalation_steps: list[EscalationStepOut] = Field(
        description="The steps of the policy's ladder, in order."
    )

    @classmethod
    def explaining(
        cls,
        explanation: Explanation,
        now: datetime,
        acknowledgement: Acknowledgement | None,
        breaks: Sequence[Interval],
        attempts: Sequence[HandoffChanged],
        terms: Sequence[Terms],
    ) -> ExplanationOut:
        """The explanation as it is answered."""
        clock = explanation.clock
        intervals = list(map(IntervalOut.of, explanation.intervals))
        steps = [
            EscalationStepOut(**step._asdict(), is_done=index < clock.escalation_count)
            for index, step in enumerate(clock.escalation_steps)
        ]
        fields = clock_fields(clock, now, acknowledgement)
        return cls(
            **{**fields, "escalation_steps": steps},
            zone=explanation.zone,
            intervals=intervals,
            terms=[TermsOut.of(it, clock) for it in terms],
            pauses=list(map(PauseOut.of, explanation.pauses)),
            attempts=list(map(AttemptOut.of, attempts)),
            counted_s=sum(it.seconds for it in intervals),
            holidays=[SkippedOut(on=it.on, holiday=it.name) for it in explanation.skipped],
            breaks=list(map(IntervalOut.of, breaks)),
            spent_s=explanation.spent.total_seconds(),
            overdue_intervals=list(map(IntervalOut.of, explanation.overdue_intervals)),
            overdue_business_s=explanation.overdue.total_seconds(),
        )


def router(policies: Policies[SlaPolicy]) -> APIRouter:
    """The route that explains a clock by the agreement version that it is pinned to."""
    routes = APIRouter()

    @routes.get(
        "/clocks/{clock_id}/explain", responses=problems(*KEY_ERRORS, UnknownClock, InvalidRequest)
    )
    def explain_clock(
        clock_id: ClockId, session: Tx, now: Now, caller: AnyReader
    ) -> ExplanationOut:
        """Why the clock is due when it is: every interval that counted; pauses, holidays, breaks that did not."""
        clock = lists.find_clock(session, clock_id, visible_to=visible_to(caller))
        if clock is None:
            raise UnknownClock(f"no clock {clock_id}: take an id from /v1/sla/clocks")
        return explanation_of(session, clock, policies, now=now)

    return routes


def explanation_of(
    session: Session, clock: Clock, policies: Policies[SlaPolicy], *, now: datetime
) -> ExplanationOut:
    """The explanation of the clock by the versions that it counts by."""
    changed = changes.histories_of(session, {clock.handoff_id}).get(clock.handoff_id, [])
    applied = applications.applied_to(session, {clock.handoff_id}).get(clock.handoff_id, [])
    numbers = versions_of([changed], [applied]) | {clock.agreement_version}
    pinned = {it: policies.version(session, it) for it in sorted(numbers)}
    terms = _terms(clock, changed, applied, pinned)
    hours: WorkingHours = pinned[clock.agreement_version].calendar(clock.team, clock.calendar)
    if terms is not None:
        hours = terms.hours
    history = history_of(clock.scope, clock.hop, changed)
    pauses = [] if history is None else clock_pauses(history, clock.kind, pinned)
    breaks = hours.skipped_breaks(clock.started_at, max(clock.due_at, clock.ended_at or now))
    return ExplanationOut.explaining(
        explain(clock, hours, pauses, now=now),
        now,
        acknowledgements_of(session, [clock.id]).get(clock.id),
        [Interval(since, until) for since, until in breaks[:MAX_INTERVALS]],
        attempts_of(history.changes) if history and clock.kind == ATTEMPTS else [],
        [] if terms is None else terms.all,
    )


def _terms(
    clock: Clock,
    history: Sequence[HandoffChanged],
    applied: Sequence[AppliedVersion],
    pinned: Mapping[int, SlaPolicy],
) -> Terms | None:
    """The terms that the clock counts by; None where its changes are gone."""
    derived = derive_with_terms(history, pinned, applied)
    return next((terms for it, terms in derived if it.id == clock.id), None)
