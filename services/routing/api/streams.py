"""The stream of changes of handoffs."""

from __future__ import annotations

from fastapi import APIRouter, Request

from shared.http.dependencies import AnyReader
from shared.http.event_stream import (
    STREAM_PROBLEMS,
    EventStream,
    LastEventId,
    open_stream,
)

router = APIRouter()


@router.get(
    "/handoffs/stream", status_code=200, response_class=EventStream, responses=STREAM_PROBLEMS
)
async def stream_handoffs(
    request: Request, caller: AnyReader, last_event_id: LastEventId = None
) -> EventStream:
    """Each change of a handoff as it happens: the payload of the topic `handoffs.changed`.

    A rep's key gets the changes of handoffs that the rep holds, and those that take one from the rep.
    """
    return open_stream(request, caller, last_event_id)
