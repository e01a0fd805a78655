"""What scoring answers: a lead, its numbers now with every rule's points, its steps, its events."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from services.scoring.domain.lead import Lead, Stage
from services.scoring.domain.rules import Rules
from services.scoring.domain.score import Part
from services.scoring.queries import leads, ledger
from services.scoring.rulebook import Rulebook
from shared.contracts.events import Event
from shared.errors import Rejected
from shared.http.dependencies import AnyReader, Now, Tx
from shared.http.keys import ExpiredKey, UnknownKey, WrongScope
from shared.http.pages import After, BadCursor, Cursor, Limit, Page, paged
from shared.http.parameters import PlainText
from shared.http.problems import problems

CURSOR = Cursor("events", tuple[AwareDatetime, PlainText, PlainText])

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
    hindrance: str | None = Field(description="What keeps it from sales.")
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


def router(rulebook: Rulebook) -> APIRouter:
    """The routes of leads."""
    routes = APIRouter(prefix="/v1/leads", tags=["leads"])
    refused = problems(UnknownLead, UnknownKey, ExpiredKey, WrongScope)

    @routes.get("", responses=problems(NoIdentityAsked, UnknownLead, UnknownKey, WrongScope))
    def find(asked: Annotated[Asked, Query()], session: Tx, now: Now, _: AnyReader) -> LeadOut:
        """The lead that an identity belongs to."""
        key = asked.key()
        lead_id = leads.owners(session, [key]).get(key)
        return _shown(session, _known(session, lead_id), rulebook, now)

    @routes.get("/{lead_id}", responses=refused)
    def show(lead_id: UUID, session: Tx, now: Now, _: AnyReader) -> LeadOut:
        """The lead; of one that was joined into another, that other."""
        return _shown(session, _known(session, lead_id), rulebook, now)

    @routes.get("/{lead_id}/events", responses={**refused, **problems(BadCursor)})
    def events(
        lead_id: UUID, session: Tx, _: AnyReader, limit: Limit = 50, after: After = None
    ) -> Page[EventOut]:
        """Its events, the latest first, each with what it counted for."""
        lead = _known(session, lead_id)
        rules = rulebook.version(session, lead.version)
        before = None if after is None else CURSOR.decode(after)
        found = ledger.events_before(session, lead.id, before=before, limit=limit + 1)
        return paged(
            found,
            limit=limit,
            item=lambda event: _event(event, rules),
            position=lambda event: (event.time, event.source, event.id),
            cursor=CURSOR,
        )

    return routes


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


def _known(session: Session, lead_id: UUID | None) -> Lead:
    lead = None if lead_id is None else leads.find_lead(session, lead_id)
    if lead is None:
        raise UnknownLead("no lead has this id or identity; an event may still be on its way")
    return lead


def _shown(session: Session, lead: Lead, rulebook: Rulebook, now: datetime) -> LeadOut:
    rules = rulebook.version(session, lead.version)
    scores = lead.scores(rules, now)
    return LeadOut(
        id=lead.id,
        stage=lead.stage,
        known=lead.known,
        email=lead.profile.email,
        account=lead.profile.account,
        traits=lead.profile.told,
        identities=leads.identities_of(session, lead.id),
        fit=scores.fit,
        engagement=scores.engagement,
        grade=scores.grade,
        fit_reasons=_parts(lead.profile.fit(rules).parts),
        engagement_reasons=_parts(lead.profile.engagement(rules, now).parts),
        qualifications=lead.qualification,
        armed=lead.armed,
        hindrance=lead.hindrance,
        next_review_at=lead.review_at,
        agreement_version=lead.version,
        since=lead.since,
        steps=[
            StepOut(stage=step.stage, cause=step.cause, at=step.at)
            for step in leads.steps_of(session, lead.id)
        ],
    )


def _parts(parts: tuple[Part, ...]) -> list[PartOut]:
    return [PartOut(rule=it.rule, label=it.label, points=it.points) for it in parts]


def _event(event: Event, rules: Rules) -> EventOut:
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
            PartOut(rule=it.id, label=rules.weights.labels[it.id], points=it.points)
            for it in rules.counting(event)
        ],
    )
