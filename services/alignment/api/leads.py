"""The leads behind a figure of the funnel, of a measure or of a promise."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from services.alignment.api.behind import LeadParameters
from services.alignment.api.known_leads import KnownLeadOut, list_known
from services.alignment.api.parameters import KEY_ERRORS
from services.alignment.api.subjects import BadMeasure, UnknownPromise
from services.alignment.domain.conditions import BadCondition
from services.alignment.domain.known import FirstStage
from services.alignment.domain.periods import BadPeriod
from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.queries.leads import CountedHandoff, Position, handoffs_in
from services.alignment.queries.measures import leads_behind
from shared.agreement.store import Policies
from shared.http.csv_tables import (
    CSV_RESPONSE,
    MAX_CSV_ROWS,
    columns_of,
    csv_response,
    row_of,
    wants_csv,
)
from shared.http.dependencies import Now, OpsOrRead, Tx
from shared.http.pages import BadCursor, Page, page_of
from shared.http.parameters import EmptyRange
from shared.http.problems import InvalidRequest, problems

RESPONSES = {
    **CSV_RESPONSE,
    **problems(
        *KEY_ERRORS,
        BadCursor,
        InvalidRequest,
        EmptyRange,
        BadPeriod,
        BadCondition,
        BadMeasure,
        UnknownPromise,
    ),
}


class LeadOut(BaseModel):
    """A qualification of a lead, and what became of it. It holds no name: scoring and routing have those."""

    lead_id: UUID
    qualification: int = Field(description="Counts the lead's qualifications from 1.")
    handoff_id: UUID | None = Field(description="Null until routing has begun it.")
    qualified_at: datetime
    agreement_version: int
    tier: str
    source: str | None = Field(description="The first of the lead's sources, by name.")
    first_campaign: str | None
    campaign: str | None = Field(description="The lead's last campaign.")
    channel: str | None = Field(
        description="Of the last touch before the lead qualified, else of its first; null: no touch is known."
    )
    persona: str | None = Field(description="By the agreement, at the qualification.")
    fit: float | None = Field(description="At the qualification, as is `engagement`.")
    engagement: float | None
    traits: list[str] | None = Field(
        description="The names of the declared traits that had a value at the qualification; null: not known."
    )
    triggered_at: datetime | None = Field(
        description="When the event happened that qualified the lead; where only time has passed, as `qualified_at`."
    )
    team: str | None
    rep: str | None = Field(description="The rep who has the lead, or had it last.")
    assigned_at: datetime | None = Field(description="The first assignment.")
    accepted_at: datetime | None
    rejected_at: datetime | None = Field(description="The last rejection.")
    rejection_reason: str | None
    contacted_at: datetime | None = Field(description="The first touch.")
    reached_at: datetime | None = Field(description="When the person was first reached.")
    attempts: int = Field(description="Contacts that count as attempts.")
    attempted_at: list[datetime] = Field(description="The instants of the first 50 of them.")
    accepted_hop: int | None = Field(
        description="Which assignment, counted from 1, was accepted first."
    )
    closed_at: datetime | None
    outcome: str | None = Field(
        description="won, lost, recycled, disqualified, returned or merged; null while it is open."
    )
    loss_reason: str | None
    amount: float | None = Field(description="Of a win; null where it is unknown.")
    currency: str | None
    counted: int = Field(
        description="How often the figure counts it: once; of attainment, so many promises about it; of "
        "`reasons_given`, its rejection and its loss. Over the whole list it sums to the figure."
    )

    @classmethod
    def of(cls, handoff: CountedHandoff) -> LeadOut:
        """The facts as they are answered."""
        facts = handoff.facts
        amount = None if facts.amount_cents is None else facts.amount_cents / 100
        return cls.model_validate({**facts._asdict(), "amount": amount, "counted": handoff.times})


def router(policies: Policies[AlignmentPolicy]) -> APIRouter:
    """The route; `policies` has the agreement's versions."""
    routes = APIRouter()

    @routes.get(
        "/alignment/leads", response_model=Page[LeadOut] | Page[KnownLeadOut], responses=RESPONSES
    )
    def list_leads(
        request: Request,
        parameters: Annotated[LeadParameters, Query()],
        session: Tx,
        now: Now,
        _: OpsOrRead,
    ) -> Page[LeadOut] | Page[KnownLeadOut] | Response:
        """The leads behind a figure of the funnel, of a measure or of a promise, those that qualified last first.

        With `stage=known` or `engaged`, the leads that became so in the period, the last ones first.
        """
        behind, stage = parameters.behind(session, policies, now), parameters.stage
        if isinstance(stage, FirstStage):
            return list_known(request, session, parameters, stage, now)
        as_csv = wants_csv(request, parameters.format)
        limit = MAX_CSV_ROWS if as_csv else parameters.limit
        cursor = parameters.cursor
        after = None if parameters.after is None else Position(*cursor.decode(parameters.after))
        if behind is None:
            listed = parameters.listed(session, stage, now)
            leads = handoffs_in(session, listed, after=after, limit=limit + 1)
        else:
            leads = leads_behind(session, behind, after=after, limit=limit + 1)
        if as_csv:
            columns = list(columns_of(LeadOut))
            rows = [row_of(LeadOut.of(it), columns) for it in leads[:limit]]
            following = cursor.encode(*_position(leads[limit - 1])) if len(leads) > limit else None
            return csv_response(request, "leads", columns, rows, next_cursor=following)
        return page_of(leads, limit=limit, item=LeadOut.of, position=_position, cursor=cursor)

    return routes


def _position(handoff: CountedHandoff) -> tuple[datetime | None, UUID, int]:
    facts = handoff.facts
    return facts.qualified_at, facts.lead_id, facts.qualification
