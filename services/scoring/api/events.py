"""The events of a lead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.scoring.api.leads import REFUSALS, LeadId, PartOut
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.handlers.reading import accessible_lead
from services.scoring.queries import ledger
from shared.agreement.store import Policies
from shared.contracts.payloads import MarketingEvent
from shared.http.csv_tables import CSV_RESPONSE, FORMAT, Format, csv_of_pages, wants_csv
from shared.http.dependencies import AnyReader, Tx
from shared.http.pages import After, BadCursor, Cursor, Limit, Page, page_of
from shared.http.parameters import SINCE, UNTIL, EmptyRange, PlainText, Since, Until, time_range
from shared.http.problems import problems

JSON_COLUMNS = ("properties", "traits", "context")
"""The columns of a CSV that hold JSON."""

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
    format: Format = Field(default=None, description=FORMAT)


def router(policies: Policies[ScoringPolicy]) -> APIRouter:
    """The routes of a lead's events."""
    routes = APIRouter()

    @routes.get(
        "/{lead_id}/events",
        response_model=Page[EventOut],
        responses={**CSV_RESPONSE, **REFUSALS, **problems(BadCursor, EmptyRange)},
    )
    def events(
        request: Request,
        lead_id: LeadId,
        session: Tx,
        caller: AnyReader,
        query: Annotated[EventsQuery, Query()],
    ) -> Page[EventOut] | Response:
        """The lead's events, the latest first, each with the points that it gave.

        A rep's key sees those of `/v1/leads/{lead_id}`. A CSV has the sum of an event's points, and its data as JSON.
        """
        lead, access = accessible_lead(session, lead_id, caller, description=f"the id {lead_id}")
        policy = policies.version(session, lead.version)

        def page_after(after: str | None, limit: int) -> Page[EventOut]:
            rows = ledger.events_before(
                session,
                lead.id,
                times=time_range(query.since, query.until),
                before=None if after is None else CURSOR.decode(after),
                until=access.until,
                limit=limit + 1,
            )
            return _page(rows, policy, limit)

        if not wants_csv(request, query.format):
            return page_after(query.after, query.limit)
        columns = list(EventOut.model_fields)
        return csv_of_pages(request, "events", page_after, _row, columns=columns)

    return routes


def _page(events: Sequence[MarketingEvent], policy: ScoringPolicy, limit: int) -> Page[EventOut]:
    """The events as a page of so many, of which one more may have been read."""
    return page_of(
        events,
        limit=limit,
        item=lambda event: EventOut.of(event, policy),
        position=lambda event: (event.time, event.source, event.id),
        cursor=CURSOR,
    )


def _row(event: EventOut) -> dict[str, object]:
    """The event's values by column: its points as a sum, its properties, traits and context as JSON."""
    json = {it: orjson.dumps(getattr(event, it)).decode() for it in JSON_COLUMNS}
    return {**dict(event), **json, "points": sum(it.points for it in event.points)}
