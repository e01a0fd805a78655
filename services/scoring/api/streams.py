"""The stream of accepted events and of qualifications."""

from __future__ import annotations

from fastapi import APIRouter, Request

from shared.http.dependencies import OpsOrRead
from shared.http.event_stream import (
    STREAM_PROBLEMS,
    EventStream,
    LastEventId,
    open_stream,
)

router = APIRouter()


@router.get(
    "/events/stream", status_code=200, response_class=EventStream, responses=STREAM_PROBLEMS
)
async def stream_events(
    request: Request, caller: OpsOrRead, last_event_id: LastEventId = None
) -> EventStream:
    """Accepted events (`marketing.events`) and qualifications (`leads.qualified`) as they come.

    Of an event it shows source, id, type, times and marks, of a qualification the lead's id, the tier and the
    cause. It hands on 200 a second at most; where more come, it skips some and says `reload`.
    """
    return open_stream(request, caller, last_event_id)
