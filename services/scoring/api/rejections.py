"""The list of events that were refused."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.scoring.queries.rejections import RejectionFilter, StoredRejection, list_rejections
from shared.auth.keys import ExpiredKey, UnknownKey, WrongScope
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


@router.get(
    "/rejections", responses=problems(UnknownKey, ExpiredKey, WrongScope, BadCursor, EmptyRange)
)
def rejections(
    _: OpsOrRead, session: Tx, query: Annotated[RejectionsQuery, Query()]
) -> Page[RejectionOut]:
    """Events that were refused, the latest first, with their bytes and the reason.

    An event that came several times is listed once, with its count. A page ends early where it would become too large.
    """
    rows = list_rejections(
        session,
        RejectionFilter(query.source, query.code, time_range(query.since, query.until)),
        before=CURSOR.decode(query.after) if query.after is not None else None,
        limit=query.limit + 1,
        max_bytes=MAX_PAGE_BYTES,
    )
    return page_of(
        rows,
        limit=query.limit,
        item=RejectionOut.of,
        position=StoredRejection.position,
        cursor=CURSOR,
    )
