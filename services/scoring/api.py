"""What scoring answers: a lead, its numbers now with every rule's points, its steps, its events."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from services.scoring.domain.holding import Access, lead_at_loss
from services.scoring.domain.identities import identifiers_in
from services.scoring.domain.lead import Lead, Stage, StageChange
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.score import Part
from services.scoring.queries import holdings, leads, ledger
from shared.agreement.store import Policies
from shared.auth.keys import Caller, ExpiredKey, KeyScope, UnknownKey, WrongScope
from shared.contracts.payloads import MarketingEvent
from shared.errors import Rejected
from shared.http.dependencies import AnyReader, Now, Tx
from shared.http.pages import After, BadCursor, Cursor, Limit, Page, paged
from shared.http.parameters import PlainText
from shared.http.problems import problems

CURSOR = Cursor("events", tuple[AwareDatetime, PlainText, PlainText])

UNKNOWN = "no lead has this id or identity; an event may still be on its way"
WHO = "email, phone, user_id or anonymous_id (the last two with source)"


class UnknownLead(Rejected):
    """Nobody has this id, or this identity."""

    code: ClassVar[str] = "unknown_lead"
    status: ClassVar[int] = 404


class NoIdentityAsked(Rejected):
    """The query names nobody to look for."""

    code: ClassVar[str] = "no_identity"
    status: ClassVar[int] = 400


class PartOut(BaseModel):
    """What one rule, or one bound, gave or took."""

    rule: str
    label: str
    points: float


class StepOut(BaseModel):
    """A stage, since when and why."""

    stage: Stage
    cause: str
    at: datetime


class LeadOut(BaseModel):
    """A lead at this instant."""

    id: UUID
    stage: Stage
    known: bool = Field(description="False: an anonymous visitor so far.")
    email: str | None
    account: str | None
    traits: dict[str, Any]
    identities: list[str]
    fit: float
    engagement: float
    grade: str
    fit_reasons: list[PartOut] = Field(description="Their points sum to `fit`.")
    engagement_reasons: list[PartOut] = Field(description="Their points sum to `engagement`.")
    qualifications: int = Field(description="How often it qualified.")
    armed: bool = Field(description="Whether the threshold may qualify it.")
    blocker: str | None = Field(description="What keeps it from sales.")
    next_review_at: datetime | None = Field(description="When decay alone may change it.")
    agreement_version: int = Field(description="The agreement that the numbers are of.")
    since: datetime
    steps: list[StepOut]


class EventOut(BaseModel):
    """One event of a lead, and the points that it gave undecayed."""

    source: str
    id: str
    type: str
    time: datetime
    received_at: datetime
    properties: dict[str, Any]
    traits: dict[str, Any]
    context: dict[str, Any]
    marks: tuple[str, ...]
    points: list[PartOut]


REFUSED = problems(UnknownLead, UnknownKey, ExpiredKey, WrongScope)


def router(policies: Policies[ScoringPolicy]) -> APIRouter:
    """The routes of leads."""
    routes = APIRouter(prefix="/v1/leads", tags=["leads"])
    _add_leads(routes, policies)
    _add_events(routes, policies)
    return routes


def _add_leads(routes: APIRouter, policies: Policies[ScoringPolicy]) -> None:
    @routes.get("", responses=problems(NoIdentityAsked, UnknownLead, UnknownKey, WrongScope))
    def find(asked: Annotated[Asked, Query()], session: Tx, now: Now, caller: AnyReader) -> LeadOut:
        """The lead that an identity belongs to. A rep's key sees what `/v1/leads/{lead_id}` shows it."""
        key = asked.key()
        lead, access = _seen(session, leads.owners(session, [key]).get(key), caller)
        shown = _shown(session, lead, access, policies, now)
        if key not in shown.identities:  # it was learned after the rep had lost the lead
            raise UnknownLead(UNKNOWN)
        return shown

    @routes.get("/{lead_id}", responses=REFUSED)
    def show(lead_id: UUID, session: Tx, now: Now, caller: AnyReader) -> LeadOut:
        """The lead; of one that was joined into another, that other.

        A rep's key sees the leads of handoffs that the rep holds or held, and of those that they lost nothing
        that came later.
        """
        lead, access = _seen(session, lead_id, caller)
        return _shown(session, lead, access, policies, now)


def _add_events(routes: APIRouter, policies: Policies[ScoringPolicy]) -> None:
    @routes.get("/{lead_id}/events", responses={**REFUSED, **problems(BadCursor)})
    def events(
        lead_id: UUID, session: Tx, caller: AnyReader, limit: Limit = 50, after: After = None
    ) -> Page[EventOut]:
        """Its events, the latest first, each with what it counted for; a rep's key sees those of `show`."""
        lead, access = _seen(session, lead_id, caller)
        policy = policies.version(session, lead.version)
        before = None if after is None else CURSOR.decode(after)
        rows = ledger.events_before(
            session, lead.id, before=before, until=access.until, limit=limit + 1
        )
        return paged(
            rows,
            limit=limit,
            item=lambda event: _event(event, policy),
            position=lambda event: (event.time, event.source, event.id),
            cursor=CURSOR,
        )


class Asked(BaseModel):
    """Whom to look for; the first that is given."""

    model_config = ConfigDict(extra="forbid")

    email: PlainText | None = None
    phone: PlainText | None = None
    user_id: PlainText | None = None
    anonymous_id: PlainText | None = None
    source: PlainText | None = Field(default=None, description="Whose user or anonymous id it is.")

    def key(self) -> str:
        """The identity's key; raises NoIdentityAsked."""
        if self.email is not None:
            return f"email/{self.email.strip().lower()}"
        if self.phone is not None:
            return f"phone/{self.phone}"
        if self.user_id is not None and self.source is not None:
            return f"user/{self.source}/{self.user_id}"
        if self.anonymous_id is not None and self.source is not None:
            return f"anonymous/{self.source}/{self.anonymous_id}"
        raise NoIdentityAsked(f"say whom: {WHO}")


def _seen(session: Session, lead_id: UUID | None, caller: Caller) -> tuple[Lead, Access]:
    """The lead and what the caller sees of it; to a rep a lead that is not theirs does not exist."""
    lead = None if lead_id is None else leads.find_lead(session, lead_id)
    access = None if lead is None else _access(session, lead, caller)
    if lead is None or access is None:
        raise UnknownLead(UNKNOWN)
    return lead, access


def _access(session: Session, lead: Lead, caller: Caller) -> Access | None:
    if caller.scope is not KeyScope.REP:
        return Access()
    return holdings.find_access(session, lead.id, caller.subject)


def _shown(
    session: Session, lead: Lead, access: Access, policies: Policies[ScoringPolicy], now: datetime
) -> LeadOut:
    policy = policies.version(session, lead.version)
    steps = leads.steps_of(session, lead.id)
    identities = leads.identities_of(session, lead.id)
    if access.until is not None:
        events = ledger.events_until(session, lead.id, access.until)
        shown = identifiers_in(events)
        steps = [step for step in steps if step.at < access.until]
        identities = [key for key in identities if key in shown]
        lead = lead_at_loss(lead, events, steps, policy, now)
    return _out(lead, identities, steps, policy, now)


def _out(
    lead: Lead,
    identities: list[str],
    steps: list[StageChange],
    policy: ScoringPolicy,
    now: datetime,
) -> LeadOut:
    scores = lead.scores(policy, now)
    return LeadOut(
        id=lead.id,
        stage=lead.stage,
        known=lead.known,
        email=lead.profile.email,
        account=lead.profile.account,
        traits=lead.profile.told,
        identities=identities,
        fit=scores.fit,
        engagement=scores.engagement,
        grade=scores.grade,
        fit_reasons=_parts(lead.profile.fit(policy).parts),
        engagement_reasons=_parts(lead.profile.engagement(policy, now).parts),
        qualifications=lead.qualification,
        armed=lead.armed,
        blocker=lead.blocker,
        next_review_at=lead.review_at,
        agreement_version=lead.version,
        since=lead.since,
        steps=[StepOut(stage=step.stage, cause=step.cause, at=step.at) for step in steps],
    )


def _parts(parts: tuple[Part, ...]) -> list[PartOut]:
    return [PartOut(rule=it.rule, label=it.label, points=it.points) for it in parts]


def _event(event: MarketingEvent, policy: ScoringPolicy) -> EventOut:
    return EventOut(
        source=event.source,
        id=event.id,
        type=event.type,
        time=event.time,
        received_at=event.received_at,
        properties=event.properties,
        traits=event.traits,
        context=event.context,
        marks=event.marks,
        points=[
            PartOut(rule=it.id, label=policy.weights.labels[it.id], points=it.points)
            for it in policy.signals_of(event)
        ],
    )
