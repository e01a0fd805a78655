"""What is behind the cost of a report: of each campaign and period that counts, the part in the report's days."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, ClassVar

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from services.alignment.api.amounts import CENTS
from services.alignment.api.parameters import KEY_ERRORS, Name, PeriodParameters
from services.alignment.domain.periods import BadPeriod
from services.alignment.domain.spend import Amount, cents_within
from services.alignment.queries.spend import PartPosition, RecordedSpend, list_counted
from shared.http.csv_tables import CSV_RESPONSE, MAX_CSV_ROWS, columns_of, csv_response, wants_csv
from shared.http.dependencies import Now, OpsOrRead, Tx
from shared.http.pages import After, BadCursor, Cursor, Limit, Page, page_of
from shared.http.parameters import Day, EmptyRange, PlainText
from shared.http.problems import InvalidRequest, problems

RESPONSES = {
    **CSV_RESPONSE,
    **problems(*KEY_ERRORS, BadCursor, InvalidRequest, EmptyRange, BadPeriod),
}

router = APIRouter()


class SpendParameters(PeriodParameters):
    """The period of the report, and which page of the list is answered."""

    campaign: Name | None = Field(default=None, description="Only what this campaign cost.")
    limit: Limit = 100
    after: After = None

    cursor: ClassVar = Cursor("spend/parts", tuple[PlainText, Day, PlainText])


class SpendPartOut(BaseModel):
    """What a campaign cost in a period, and how much of it is in the report."""

    campaign: str
    period: str
    since: date = Field(description="The first date of the period, in UTC.")
    until: date = Field(description="The last one, included.")
    version: int = Field(description="The latest one, which counts.")
    amount: float = Field(description="Of the whole period.")
    counted: float = Field(
        description="Of its days in the report, until today; over the whole list these sum to the cost in "
        "`/v1/campaigns`."
    )
    currency: str
    recorded_at: datetime


@router.get("/spend", response_model=Page[SpendPartOut], responses=RESPONSES)
def list_spend_parts(
    request: Request,
    parameters: Annotated[SpendParameters, Query()],
    session: Tx,
    now: Now,
    _: OpsOrRead,
) -> Page[SpendPartOut] | Response:
    """What campaigns cost in a period: the amounts that count, by campaign and period, each with its part in the days.

    `GET /v1/campaigns/{campaign}/spend` has all versions.
    """
    as_csv = wants_csv(request, parameters.format)
    limit = MAX_CSV_ROWS if as_csv else parameters.limit
    first, last = parameters.dates(now)
    last = min(last, now.astimezone(UTC).date())
    cursor = parameters.cursor
    after = None if parameters.after is None else PartPosition(*cursor.decode(parameters.after))
    rows = list_counted(
        session, first, last, campaign=parameters.campaign, after=after, limit=limit + 1
    )

    def item(recorded: RecordedSpend) -> SpendPartOut:
        return _out(recorded, first, last)

    if as_csv:
        columns = list(columns_of(SpendPartOut))
        following = cursor.encode(*_position(rows[limit - 1])) if len(rows) > limit else None
        cells = [dict(item(it)) for it in rows[:limit]]
        return csv_response(request, "spend", columns, cells, next_cursor=following)
    return page_of(rows, limit=limit, item=item, position=_position, cursor=cursor)


def _out(recorded: RecordedSpend, first: date, last: date) -> SpendPartOut:
    spend = recorded.spend
    amount = spend.amount or Amount(0, "")
    return SpendPartOut(
        campaign=spend.campaign,
        period=spend.period,
        since=spend.first_on,
        until=spend.last_on,
        version=spend.version,
        amount=amount.cents / CENTS,
        counted=cents_within(spend, first, last) / CENTS,
        currency=amount.currency,
        recorded_at=recorded.recorded_at,
    )


def _position(recorded: RecordedSpend) -> PartPosition:
    spend = recorded.spend
    return PartPosition(spend.campaign, spend.first_on, spend.period)
