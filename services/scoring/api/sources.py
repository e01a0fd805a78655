"""How many events of each source were accepted, came again, or were refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.scoring.queries.event_counts import MAX_REJECTIONS, source_counts
from shared.auth.keys import ExpiredKey, UnknownKey, WrongScope
from shared.http.csv_tables import (
    CSV_RESPONSE,
    FORMAT,
    Format,
    columns_of,
    csv_response,
    row_of,
    wants_csv,
)
from shared.http.dependencies import Now, OpsOrRead, Tx
from shared.http.problems import problems

router = APIRouter()

DAY_HOURS = 24
MONTH_HOURS = 31 * DAY_HOURS


class SourceCountsOut(BaseModel):
    """How many events of a source were accepted, came again, or were refused."""

    source: str
    accepted: int = Field(description="Events that were added to their leads.")
    repeated: int = Field(
        description="Events that had come before, as when a client sends them again; they count for nothing."
    )
    rejected: int = Field(
        description=f"Events that were refused, of the latest {MAX_REJECTIONS:,} rejections."
    )


class Sources(BaseModel):
    """The sources of which events came."""

    since: datetime = Field(description="The beginning of the first hour that is counted.")
    items: list[SourceCountsOut]


class SourcesQuery(BaseModel):
    """How far back the counts go."""

    model_config = ConfigDict(extra="forbid")

    hours: int = Field(
        default=DAY_HOURS, ge=1, le=MONTH_HOURS, description="So many whole hours, and this one."
    )
    format: Format = Field(default=None, description=FORMAT)


@router.get(
    "/events/sources",
    response_model=Sources,
    responses={**CSV_RESPONSE, **problems(UnknownKey, ExpiredKey, WrongScope)},
)
def sources(
    request: Request, _: OpsOrRead, session: Tx, now: Now, query: Annotated[SourcesQuery, Query()]
) -> Sources | Response:
    """Count the events of each source that were accepted, came again or were refused in the last hours."""
    since = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=query.hours)
    items = [SourceCountsOut(**it._asdict()) for it in source_counts(session, since=since)]
    if wants_csv(request, query.format):
        columns = list(columns_of(SourceCountsOut))
        return csv_response(request, "sources", columns, [row_of(it, columns) for it in items])
    return Sources(since=since, items=items)
