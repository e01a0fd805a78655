"""The events of a lead."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.scoring.api.leads import REFUSALS, LeadId, PartOut
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.handlers.reading import accessible_lead
from services.scoring.queries import ledger
from shared.agreement.store import Policies
from shared.contracts.payloads import MarketingEvent
from shared.http.dependencies import AnyReader, Tx
from shared.http.pages import After, BadCursor, Cursor, Limit, Page, page_of
from shared.http.parameters import SINCE, UNTIL, EmptyRange, PlainText, Since, Until, time_range
from shared.http.problems import problems

CURSOR = Cursor("events", tuple[AwareDatetime, PlainText, PlainText])


class EventOut(BaseModel):
    """One event of a lead, with the points that it gave, before they fade."""

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

    @classmethod
    def of(cls, event: MarketingEvent, policy: ScoringPolicy) -> EventOut:
        """The event with the points that it gives under this policy."""
        return cls(
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


class EventsQuery(BaseModel):
    """Which events of the lead."""

    model_config = ConfigDict(extra="forbid")

    since: Since | None = Field(default=None, description=f"Happened {SINCE}")
    until: Until | None = Field(default=None, description=f"Happened {UNTIL}")
    after: After = None
    limit: Limit = 50


def router(policies: Policies[ScoringPolicy]) -> APIRouter:
    """The routes of a lead's events."""
    routes = APIRouter()

    @routes.get("/{lead_id}/events", responses={**REFUSALS, **problems(BadCursor, EmptyRange)})
    def events(
        lead_id: LeadId, session: Tx, caller: AnyReader, query: Annotated[EventsQuery, Query()]
    ) -> Page[EventOut]:
        """The lead's events, the latest first, each with the points that it gave.

        A rep's key sees those of `/v1/leads/{lead_id}`.
        """
        lead, access = accessible_lead(session, lead_id, caller, description=f"the id {lead_id}")
        policy = policies.version(session, lead.version)
        rows = ledger.events_before(
            session,
            lead.id,
            times=time_range(query.since, query.until),
            before=None if query.after is None else CURSOR.decode(query.after),
            until=access.until,
            limit=query.limit + 1,
        )
        return page_of(
            rows,
            limit=query.limit,
            item=lambda event: EventOut.of(event, policy),
            position=lambda event: (event.time, event.source, event.id),
            cursor=CURSOR,
        )

    return routes
