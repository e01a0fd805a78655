"""The list of events that were refused."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from services.scoring.queries.rejections import RejectionFilter, StoredRejection, list_rejections
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
from shared.http.dependencies import OpsOrRead, Tx
from shared.http.pages import MAX_PAGE_BYTES, After, BadCursor, Cursor, Limit, Page, page_of
from shared.http.parameters import (
    SINCE,
    UNTIL,
    EmptyRange,
    PlainText,
    Position,
    Since,
    Until,
    time_range,
)
from shared.http.problems import problems

CURSOR = Cursor("rejections", tuple[AwareDatetime, Position])

router = APIRouter()


class RejectionOut(BaseModel):
    """An event that was refused."""

    id: int
    source: str
    event_id: str | None
    received_at: datetime = Field(description="When the event came first.")
    last_received_at: datetime = Field(
        description="When the event came last; the list is in this order."
    )
    count: int = Field(
        description="How often the event came, by retries or several times in one request."
    )
    code: str
    reason: str
    format: str = Field(
        description="How its source sent it: `native`, or `segment/` with the call."
    )
    size: int = Field(description="The size of the event as it came, in bytes.")
    text: str = Field(description="The event as text, at most its first 32 KB.")
    base64: str = Field(description="The bytes of `text` in base64.")
    retriable: bool = Field(
        description="Whether all of its bytes are kept, so that `/v1/rejections/{id}/retry` can take it in again."
    )

    @classmethod
    def of(cls, stored: StoredRejection) -> RejectionOut:
        """The stored rejection as it is answered."""
        return cls(
            id=stored.id,
            source=stored.source,
            event_id=stored.event_id,
            received_at=stored.received_at,
            last_received_at=stored.last_received_at,
            count=stored.count,
            code=stored.code,
            reason=stored.reason,
            format=stored.format,
            size=stored.size,
            text=stored.bytes.decode("utf-8", "replace"),
            base64=b64encode(stored.bytes).decode(),
            retriable=stored.is_whole,
        )


class RejectionsQuery(BaseModel):
    """Which rejections the list has."""

    model_config = ConfigDict(extra="forbid")

    source: PlainText | None = Field(default=None, description="Only events of this source.")
    code: PlainText | None = Field(
        default=None, description="Only events that were refused with this code."
    )
    since: Since | None = Field(default=None, description=f"Last received {SINCE}")
    until: Until | None = Field(default=None, description=f"Last received {UNTIL}")
    after: After = None
    limit: Limit = 50
    format: Format = Field(default=None, description=FORMAT)

    def page(self, session: Session, *, after: str | None, limit: int) -> Page[RejectionOut]:
        """The page after a cursor; raises BadCursor or EmptyRange."""
        rows = list_rejections(
            session,
            RejectionFilter(self.source, self.code, time_range(self.since, self.until)),
            before=None if after is None else CURSOR.decode(after),
            limit=limit + 1,
            max_bytes=MAX_PAGE_BYTES,
        )
        return page_of(
            rows,
            limit=limit,
            item=RejectionOut.of,
            position=StoredRejection.position,
            cursor=CURSOR,
        )


COLUMNS = [it for it in columns_of(RejectionOut) if it not in ("text", "base64")]
"""The columns of rejections as CSV, without their bytes."""


@router.get(
    "/rejections",
    response_model=Page[RejectionOut],
    responses={
        **CSV_RESPONSE,
        **problems(UnknownKey, ExpiredKey, WrongScope, BadCursor, EmptyRange),
    },
)
def rejections(
    request: Request, _: OpsOrRead, session: Tx, query: Annotated[RejectionsQuery, Query()]
) -> Page[RejectionOut] | Response:
    """Events that were refused, the latest first, with their bytes and the reason; as CSV without the bytes.

    An event that came several times is listed once, with its count. A page ends early where it would become too large.
    """
    if wants_csv(request, query.format):
        return csv_of_pages(
            request,
            "rejections",
            lambda after, limit: query.page(session, after=after, limit=limit),
            lambda it: row_of(it, COLUMNS),
            columns=COLUMNS,
        )
    return query.page(session, after=query.after, limit=query.limit)
