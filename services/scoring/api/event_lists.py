"""The list of accepted events of all leads."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from services.scoring.queries.event_lists import (
    MAX_EXAMINED,
    EventFilter,
    ListedEvent,
    latest_events,
)
from shared.auth.keys import ExpiredKey, UnknownKey, WrongScope
from shared.http.csv_tables import (
    CSV_RESPONSE,
    FORMAT,
    Format,
    columns_of,
    csv_of_pages,
    row_of,
    wants_csv,
)
from shared.http.dependencies import Now, OpsOrRead, Tx
from shared.http.pages import After, BadCursor, Cursor, Limit, Page, page_of
from shared.http.parameters import SINCE, UNTIL, EmptyRange, PlainText, Since, Until, time_range
from shared.http.problems import problems

CURSOR = Cursor("all-events", tuple[AwareDatetime, PlainText, PlainText])

router = APIRouter()


class EventLine(BaseModel):
    """An accepted event, without what it tells of the person."""

    source: str
    id: str
    type: str
    time: datetime
    received_at: datetime
    marks: tuple[str, ...]
    lead_id: UUID = Field(description="`/v1/leads/{lead_id}/events` shows the whole event.")

    @classmethod
    def of(cls, listed: ListedEvent) -> EventLine:
        """The event as the list shows it."""
        event = listed.event
        return cls(
            source=event.source,
            id=event.id,
            type=event.type,
            time=event.time,
            received_at=event.received_at,
            marks=event.marks,
            lead_id=listed.lead_id,
        )


class EventsQuery(BaseModel):
    """Which events the list has."""

    model_config = ConfigDict(extra="forbid")

    source: PlainText | None = Field(default=None, description="Only events of this source.")
    type: PlainText | None = Field(default=None, description="Only events of this type.")
    since: Since | None = Field(
        default=None, description=f"Happened {SINCE} By default a page looks 31 days back."
    )
    until: Until | None = Field(default=None, description=f"Happened {UNTIL}")
    after: After = None
    limit: Limit = 50
    format: Format = Field(default=None, description=FORMAT)


@router.get(
    "/events",
    response_model=Page[EventLine],
    responses={
        **CSV_RESPONSE,
        **problems(UnknownKey, ExpiredKey, WrongScope, BadCursor, EmptyRange),
    },
)
def events(
    request: Request, _: OpsOrRead, session: Tx, now: Now, query: Annotated[EventsQuery, Query()]
) -> Page[EventLine] | Response:
    """Accepted events of all leads, the latest first. An event that came several times is listed once.

    A page may end before its limit although `next` names another: a filter that few events meet is answered in parts.
    """
    event_filter = EventFilter(query.source, query.type, time_range(query.since, query.until))
    if not wants_csv(request, query.format):
        return page_after(session, event_filter, query.after, now=now, limit=query.limit)
    columns = list(columns_of(EventLine))
    return csv_of_pages(
        request,
        "events",
        lambda after, limit: page_after(session, event_filter, after, now=now, limit=limit),
        lambda line: row_of(line, columns),
        columns=columns,
    )


def page_after(
    session: Session,
    event_filter: EventFilter,
    cursor: str | None,
    *,
    now: datetime,
    limit: int,
    max_examined: int = MAX_EXAMINED,
) -> Page[EventLine]:
    """The page after the cursor; one that ends early has a cursor to the events that it has not examined."""
    latest = latest_events(
        session,
        event_filter,
        before=None if cursor is None else CURSOR.decode(cursor),
        now=now,
        limit=limit + 1,
        max_examined=max_examined,
    )
    page = page_of(
        latest.events,
        limit=limit,
        item=EventLine.of,
        position=ListedEvent.position,
        cursor=CURSOR,
    )
    if page.next is None and latest.examined_since is not None:
        page.next = CURSOR.encode(latest.examined_since, "", "")
    return page
