"""The leads behind the figures `known` and `engaged` of the funnel."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import Request, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.orm import Session

from services.alignment.api.behind import LeadParameters
from services.alignment.api.known import known_selection
from services.alignment.api.subjects import BadMeasure
from services.alignment.domain.known import FirstStage, KnownLead
from services.alignment.queries.known import KnownPosition, known_leads_in
from shared.http.csv_tables import MAX_CSV_ROWS, columns_of, csv_response, row_of, wants_csv
from shared.http.pages import Cursor, Page, page_of

NO_SALES = (
    "leads that are known or engaged have no tier, team and rep before they qualify: leave these out, also in `where`, "
    "or ask for `stage=qualified`"
)


class KnownLeadOut(BaseModel):
    """A lead that became known or engaged. It holds no name: scoring has that."""

    lead_id: UUID
    known_at: datetime = Field(description="The first event that names a person.")
    engaged_at: datetime | None = Field(
        description="The first activity that counts, and not before `known_at`; null: none so far."
    )
    source: str | None = Field(description="Of the event of `known_at`.")
    campaign: str | None = Field(description="The last one that a touch until `known_at` names.")
    channel: str | None = Field(description="Of the last touch until `known_at`.")
    persona: str | None = Field(description="By the agreement, when it became known or engaged.")

    @classmethod
    def of(cls, lead: KnownLead) -> KnownLeadOut:
        """The lead as it is answered."""
        return cls.model_validate(lead._asdict())


def list_known(
    request: Request,
    session: Session,
    parameters: LeadParameters,
    stage: FirstStage,
    now: datetime,
) -> Page[KnownLeadOut] | Response:
    """The leads that reached the stage in the period, those that did so last first; raises BadMeasure or BadCursor."""
    selection = known_selection(session, parameters, now)
    if selection is None:
        raise BadMeasure(NO_SALES)
    as_csv = wants_csv(request, parameters.format)
    limit = MAX_CSV_ROWS if as_csv else parameters.limit
    cursor = Cursor(f"alignment/{stage}", tuple[AwareDatetime, UUID])
    after = None if parameters.after is None else KnownPosition(*cursor.decode(parameters.after))
    leads = known_leads_in(session, selection, stage, after=after, limit=limit + 1)

    def position(lead: KnownLead) -> tuple[datetime | None, UUID]:
        return lead.became_at(stage), lead.lead_id

    if as_csv:
        columns = list(columns_of(KnownLeadOut))
        rows = [row_of(KnownLeadOut.of(it), columns) for it in leads[:limit]]
        following = cursor.encode(*position(leads[limit - 1])) if len(leads) > limit else None
        return csv_response(request, "leads", columns, rows, next_cursor=following)
    return page_of(leads, limit=limit, item=KnownLeadOut.of, position=position, cursor=cursor)
