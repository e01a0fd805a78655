"""The stream of changes of clocks."""

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


@router.get("/stream", status_code=200, response_class=EventStream, responses=STREAM_PROBLEMS)
async def stream_clocks(
    request: Request, caller: AnyReader, last_event_id: LastEventId = None
) -> EventStream:
    """Each change of a clock as it happens: the payload of the topic `sla.changed`.

    A rep's key gets the changes of the rep's own clocks.
    """
    return open_stream(request, caller, last_event_id)
