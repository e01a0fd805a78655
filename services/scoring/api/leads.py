"""A lead with its scores now and the points of every rule."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from services.scoring.domain.lead import Stage
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.score import Part
from services.scoring.handlers.reading import UnknownLead, VisibleLead, visible_lead
from services.scoring.queries import leads
from shared.agreement.store import Policies
from shared.auth.keys import ExpiredKey, UnknownKey, WrongScope
from shared.errors import Rejected
from shared.http.dependencies import AnyReader, Now, Tx
from shared.http.parameters import PlainText
from shared.http.problems import problems


class NoIdentityAsked(Rejected):
    """The query names no identifier."""

    code: ClassVar[str] = "no_identity"
    status: ClassVar[int] = 400


class PartOut(BaseModel):
    """The points that one rule, or one bound, gave or took."""

    rule: str
    label: str
    points: float

    @classmethod
    def of(cls, part: Part) -> PartOut:
        """The part of a score as it is answered."""
        return cls(rule=part.rule, label=part.label, points=part.points)


class StepOut(BaseModel):
    """A stage of the lead, with its cause and its beginning."""

    stage: Stage
    cause: str
    at: datetime


class LeadOut(BaseModel):
    """A lead with its scores at this instant."""

    id: UUID
    stage: Stage
    known: bool = Field(description="False for an anonymous visitor.")
    email: str | None
    account: str | None
    traits: dict[str, Any]
    identities: list[str]
    fit: float
    engagement: float
    grade: str
    fit_reasons: list[PartOut] = Field(description="Their points sum to `fit`.")
    engagement_reasons: list[PartOut] = Field(description="Their points sum to `engagement`.")
    qualifications: int = Field(description="How often the lead has qualified.")
    armed: bool = Field(
        description="Whether the lead may cross the threshold; false after a crossing, until it is armed again."
    )
    blocker: str | None = Field(
        description="Why the lead does not qualify: `incomplete: …` or `suppressed: …`."
    )
    next_review_at: datetime | None = Field(
        description="When fading points alone may change the lead."
    )
    agreement_version: int = Field(
        description="The version of the agreement that the scores are computed by."
    )
    since: datetime
    steps: list[StepOut]

    @classmethod
    def of(cls, visible: VisibleLead, now: datetime) -> LeadOut:
        """The lead as the caller sees it."""
        lead, policy = visible.lead, visible.policy
        scores = lead.scores(policy, now)
        return cls(
            id=lead.id,
            stage=lead.stage,
            known=lead.known,
            email=lead.profile.email,
            account=lead.profile.account,
            traits=lead.profile.trait_values,
            identities=list(visible.identities),
            fit=scores.fit,
            engagement=scores.engagement,
            grade=scores.grade,
            fit_reasons=[PartOut.of(it) for it in lead.profile.fit(policy).parts],
            engagement_reasons=[
                PartOut.of(it) for it in lead.profile.engagement(policy, now).parts
            ],
            qualifications=lead.qualification,
            armed=lead.armed,
            blocker=lead.blocker,
            next_review_at=lead.review_at,
            agreement_version=lead.version,
            since=lead.since,
            steps=[StepOut(stage=it.stage, cause=it.cause, at=it.at) for it in visible.steps],
        )


class IdentityQuery(BaseModel):
    """The identifier to look for. If several are there, the first of them counts."""

    model_config = ConfigDict(extra="forbid")

    email: PlainText | None = None
    phone: PlainText | None = None
    user_id: PlainText | None = None
    anonymous_id: PlainText | None = None
    source: PlainText | None = Field(
        default=None, description="The source that sent the user id or the anonymous id."
    )

    def key(self) -> str:
        """The key of the identifier in the table of identities; raises NoIdentityAsked."""
        if self.email is not None:
            return f"email/{self.email.strip().lower()}"
        if self.phone is not None:
            return f"phone/{self.phone}"
        if self.user_id is not None and self.source is not None:
            return f"user/{self.source}/{self.user_id}"
        if self.anonymous_id is not None and self.source is not None:
            return f"anonymous/{self.source}/{self.anonymous_id}"
        raise NoIdentityAsked(
            "give one of: email, phone, user_id or anonymous_id (the last two with source)"
        )


REFUSALS = problems(UnknownLead, UnknownKey, ExpiredKey, WrongScope)


def router(policies: Policies[ScoringPolicy]) -> APIRouter:
    """The routes of leads."""
    routes = APIRouter()

    @routes.get("", responses=problems(NoIdentityAsked, UnknownLead, UnknownKey, WrongScope))
    def find(
        query: Annotated[IdentityQuery, Query()], session: Tx, now: Now, caller: AnyReader
    ) -> LeadOut:
        """The lead that an identifier belongs to. A rep's key sees what `/v1/leads/{lead_id}` shows to it."""
        key = query.key()
        lead_id = leads.owners(session, [key]).get(key)
        visible = visible_lead(session, lead_id, caller, policies=policies, now=now)
        if key not in visible.identities:  # it was learned after the rep had lost the lead
            raise UnknownLead
        return LeadOut.of(visible, now)

    @routes.get("/{lead_id}", responses=REFUSALS)
    def show(lead_id: UUID, session: Tx, now: Now, caller: AnyReader) -> LeadOut:
        """The lead with this id; for a lead that was merged into another, the other one.

        A rep's key sees the leads of handoffs that the rep holds or held. Of a handoff that the rep has lost it shows
        the lead as it was then.
        """
        visible = visible_lead(session, lead_id, caller, policies=policies, now=now)
        return LeadOut.of(visible, now)

    return routes
