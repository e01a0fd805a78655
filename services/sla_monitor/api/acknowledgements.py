"""The route with which ops acknowledge a breach."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from services.sla_monitor.api.clocks import ClockOut
from services.sla_monitor.api.filters import KEY_ERRORS
from services.sla_monitor.domain.clocks import NotBreached, UnknownClock
from services.sla_monitor.handlers.acknowledgement import on_acknowledgement
from shared.http.dependencies import Now, Ops, Tx
from shared.http.parameters import PlainText
from shared.http.problems import InvalidRequest, problems

ClockId = Annotated[UUID, Path(description="The id of the clock, as the lists have it.")]

MAX_NOTE = 500
"""The longest note of an acknowledgement, in characters."""

Note = Annotated[PlainText, Field(min_length=1, max_length=MAX_NOTE)]

router = APIRouter()


class AcknowledgeIn(BaseModel):
    """Ops know of the breach."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"note": "called the lead myself, Linus is ill"}]},
    )

    note: Note = Field(
        description="What ops know or do about it; everybody who sees the clock reads it."
    )


@router.post(
    "/clocks/{clock_id}/acknowledge",
    responses=problems(*KEY_ERRORS, UnknownClock, NotBreached, InvalidRequest),
)
def acknowledge(
    clock_id: ClockId, body: AcknowledgeIn, session: Tx, now: Now, caller: Ops
) -> ClockOut:
    """Acknowledge a breach, with a note. It stays a breach, in lists and in attainment.

    The first acknowledgement counts: a second one changes nothing, and the response shows the first.
    """
    clock, acknowledgement = on_acknowledgement(
        session, clock_id, actor=f"ops/{caller.subject}", note=body.note, now=now
    )
    return ClockOut.of(clock, now, acknowledgement)
