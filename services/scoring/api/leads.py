"""A lead with its scores now and the points of every rule."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.scoring.api.lead_lists import LeadLine, LeadLists, ShortSearch
from services.scoring.domain.identifiers import normal_email, normal_id, normal_phone, visible
from services.scoring.domain.lead import Stage
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.score import Part
from services.scoring.handlers.reading import UnknownLead, VisibleLead, visible_lead
from services.scoring.queries import leads
from shared.agreement.store import Policies
from shared.auth.keys import ExpiredKey, UnknownKey, WrongScope
from shared.contracts.payloads import LeadCard
from shared.errors import Rejected
from shared.http.csv_tables import (
    CSV_RESPONSE,
    FORMAT,
    Format,
    columns_of,
    csv_of_pages,
    row_of,
    wants_csv,
)
from shared.http.dependencies import AnyReader, Now, Tx
from shared.http.pages import After, BadCursor, Limit, Page
from shared.http.parameters import PlainText
from shared.http.problems import problems


class NoIdentityAsked(Rejected):
    """The query names no identifier."""

    code: ClassVar[str] = "no_identity"
    status: ClassVar[int] = 400


LeadId = Annotated[UUID, Path(description="The id of the lead, or of one that was merged into it.")]


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
    persona: str | None = Field(description="By the agreement; null where none holds.")
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
    rearm_at: datetime | None = Field(
        description="When a lead that a rep handed back may cross the threshold again, by the `wait` of the reason."
    )
    blocker: str | None = Field(
        description="Why the lead does not qualify: `incomplete: …`, `suppressed: …` or `disqualified: …`."
    )
    disqualified_at: datetime | None = Field(
        description="When a rep disqualified the lead, which does not qualify until it is reopened."
    )
    next_review_at: datetime | None = Field(
        description="When fading points alone may change the lead."
    )
    agreement_version: int = Field(
        description="The version of the agreement that the scores are computed by."
    )
    since: datetime
    steps: list[StepOut]
    lead_card: LeadCard = Field(description="What a rep would read if the lead qualified now.")

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
            persona=policy.persona(lead.profile.facts(policy)) or None,
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
            rearm_at=lead.rearm_at,
            blocker=lead.blocker,
            disqualified_at=lead.disqualified_at,
            next_review_at=lead.review_at,
            agreement_version=lead.version,
            since=lead.since,
            steps=[StepOut(stage=it.stage, cause=it.cause, at=it.at) for it in visible.steps],
            lead_card=visible.lead_card,
        )


class IdentifierSought(NamedTuple):
    """The identifier of a query: its key in the table of identities, and its description in a 404."""

    key: str
    description: str


class IdentityQuery(BaseModel):
    """The identifier to look for; of several the first counts. It is read as ingest reads identifiers."""

    model_config = ConfigDict(extra="forbid")

    email: PlainText | None = Field(default=None, description="In any spelling.")
    phone: PlainText | None = Field(
        default=None, description="With its country code, in any notation."
    )
    user_id: PlainText | None = Field(default=None, description="The user id at `source`.")
    anonymous_id: PlainText | None = Field(
        default=None, description="The anonymous id at `source`."
    )
    source: PlainText | None = Field(
        default=None, description="The source that sent the user id or the anonymous id."
    )

    def identifier(self) -> IdentifierSought:
        """The identifier, read as ingest reads it; raises NoIdentityAsked, or UnknownLead if it is not valid."""
        if self.email is not None:
            email = _valid("e-mail address", self.email, _email(self.email))
            return IdentifierSought(f"email/{email}", f"the e-mail address {email}")
        if self.phone is not None:
            phone = _valid("phone number", self.phone, _phone(self.phone))
            return IdentifierSought(f"phone/{phone}", f"the phone number {phone}")
        for kind, text in (("user", self.user_id), ("anonymous", self.anonymous_id)):
            if text is not None and self.source is not None:
                id_ = _valid(f"{kind} id", text, normal_id(text))
                description = f"the {kind} id {id_} of the source {self.source}"
                return IdentifierSought(f"{kind}/{self.source}/{id_}", description)
        raise NoIdentityAsked(
            "give one of: email, phone, user_id or anonymous_id (the last two with source), or q"
        )


class LeadsQuery(IdentityQuery):
    """An identifier to look for, or a search."""

    q: PlainText | None = Field(
        default=None,
        description="The beginnings of words of a name, a company or an e-mail address, in any case, with or without "
        "accents: `ada tide`. Two letters or digits at least; up to 1,000 leads are looked at.",
    )
    after: After = None
    limit: Limit = 50
    format: Format = Field(default=None, description=f"Of a list: {FORMAT}")

    def names_nobody(self) -> bool:
        """Whether the query has no identifier, not even a part of one."""
        parts = (self.email, self.phone, self.user_id, self.anonymous_id, self.source)
        return all(it is None for it in parts)


LeadsParameters = Annotated[LeadsQuery, Query()]


def _email(text: str) -> str | None:
    """The address; a `+` that became a blank in the URL is read as `+`."""
    return normal_email(text) or normal_email(visible(text).replace(" ", "+"))


def _phone(text: str) -> str | None:
    """The number; a `+` at its beginning that became a blank in the URL is read as `+`."""
    return normal_phone(text) or normal_phone(f"+{visible(text)}")


def _valid(kind: str, text: str, identifier: str | None) -> str:
    """The identifier as it is stored; raises UnknownLead if it is not valid, as no event can have had it."""
    if identifier is None:
        raise UnknownLead(f"the {kind} {text!r}, which is not valid")
    return identifier


REFUSALS = problems(UnknownLead, UnknownKey, ExpiredKey, WrongScope)
LIST_REFUSALS = {
    **CSV_RESPONSE,
    **REFUSALS,
    **problems(NoIdentityAsked, ShortSearch, BadCursor),
}


def router(policies: Policies[ScoringPolicy]) -> APIRouter:
    """The routes of leads."""
    routes = APIRouter()

    @routes.get("", response_model=LeadOut | Page[LeadLine], responses=LIST_REFUSALS)
    def find(
        request: Request, query: LeadsParameters, session: Tx, now: Now, caller: AnyReader
    ) -> LeadOut | Page[LeadLine] | Response:
        """The lead that an identity belongs to; with `q` a page of leads, the ones that were active last first.

        Without any of them it lists the leads that have qualified, the latest qualification first. A rep's key sees
        of one lead what `/v1/leads/{lead_id}` shows it, and lists leads that the rep holds or has closed.
        """
        if query.names_nobody():
            return _list(request, query, LeadLists(session, policies, caller, now))
        identifier = query.identifier()
        lead_id = leads.owners(session, [identifier.key]).get(identifier.key)
        lead = visible_lead(
            session, lead_id, caller, policies=policies, now=now, description=identifier.description
        )
        if identifier.key not in lead.identities:  # learned after the rep had lost the lead
            raise UnknownLead(identifier.description)
        return LeadOut.of(lead, now)

    @routes.get("/{lead_id}", responses=REFUSALS)
    def show(lead_id: LeadId, session: Tx, now: Now, caller: AnyReader) -> LeadOut:
        """The lead with this id; for a lead that was merged into another, the other one.

        A rep's key sees the leads of handoffs that the rep holds or held. Of a handoff that the rep has lost it shows
        the lead as it was then.
        """
        lead = visible_lead(
            session, lead_id, caller, policies=policies, now=now, description=f"the id {lead_id}"
        )
        return LeadOut.of(lead, now)

    return routes


def _list(request: Request, query: LeadsQuery, lists: LeadLists) -> Page[LeadLine] | Response:
    """The page of the query, or its list as CSV."""
    if not wants_csv(request, query.format):
        return lists.page(query.q, after=query.after, limit=query.limit)
    columns = list(columns_of(LeadLine))
    return csv_of_pages(
        request,
        "leads",
        lambda after, limit: lists.page(query.q, after=after, limit=limit),
        lambda line: row_of(line, columns),
        columns=columns,
    )
