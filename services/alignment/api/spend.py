"""What campaigns cost: one amount is put, and all versions of a campaign are listed."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Self

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from services.alignment.api.parameters import KEY_ERRORS
from services.alignment.domain.currencies import CURRENCIES, currency_hint
from services.alignment.domain.facts import MAX_NAME
from services.alignment.domain.periods import BadPeriod, dates_of
from services.alignment.domain.spend import (
    MAX_AMOUNT,
    MAX_VERSION,
    Amount,
    RefusalCause,
    SpendEntry,
    campaign_of,
)
from services.alignment.handlers.spend import record_spend
from services.alignment.queries.spend import Position, RecordedSpend, latest_spend, list_spend
from shared.errors import Rejected
from shared.http.csv_tables import (
    CSV_RESPONSE,
    FORMAT,
    MAX_CSV_ROWS,
    Format,
    csv_response,
    wants_csv,
)
from shared.http.dependencies import Now, Ops, OpsOrRead, Tx
from shared.http.pages import After, BadCursor, Cursor, Limit, Page, page_of
from shared.http.parameters import Count, Day, PlainText
from shared.http.problems import InvalidRequest, problems

Campaign = Annotated[
    PlainText,
    Path(
        min_length=1,
        max_length=MAX_NAME,
        description="The campaign, as the events of marketing name it.",
    ),
]
NewCampaign = Annotated[Campaign, AfterValidator(campaign_of)]
"""As `Campaign`; without blanks around it and characters that cannot be seen, as events have it."""
CURSOR = Cursor("spend", tuple[Day, PlainText, Count])

router = APIRouter()


class VersionTaken(Rejected):
    """This version is kept with another amount."""

    code: ClassVar[str] = "version_taken"
    status: ClassVar[int] = 409


class OverlappingSpend(Rejected):
    """Another period of this campaign has days in common with this one, and an amount: they would count twice."""

    code: ClassVar[str] = "overlapping_spend"
    status: ClassVar[int] = 409


_ERROR_OF: dict[RefusalCause, type[Rejected]] = {
    RefusalCause.VERSION: VersionTaken,
    RefusalCause.PERIOD: OverlappingSpend,
}


def _checked_currency(code: str) -> str:
    if code not in CURRENCIES:
        raise ValueError(currency_hint(code))
    return code


class SpendIn(BaseModel):
    """What a campaign cost in a period."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"period": "2026-11", "amount": 4200.5, "currency": "EUR", "version": 1}]
        },
    )

    period: PlainText = Field(
        description="A week, a month or a quarter: `2026-W47`, `2026-11`, `2026-Q4`."
    )
    amount: Annotated[Decimal, Field(ge=0, le=MAX_AMOUNT, decimal_places=2)] | None = Field(
        description="With two decimals at most; null: what it cost is not known any more."
    )
    currency: Annotated[str, AfterValidator(_checked_currency)] | None = Field(
        default=None, description="The currency of the amount (ISO 4217)."
    )
    version: Annotated[int, Field(ge=1, le=MAX_VERSION)] | None = Field(
        default=None,
        description="The highest of a campaign and period counts, whenever it comes, and all are kept. Without it: the "
        "next one, unless the highest says the same.",
    )

    @model_validator(mode="after")
    def _amount_has_currency(self) -> Self:
        if (self.amount is None) != (self.currency is None):
            raise ValueError("amount and currency go together")
        return self

    def entry(self, campaign: str) -> SpendEntry:
        """The entry for this campaign."""
        amount = None
        if self.amount is not None and self.currency is not None:
            amount = Amount(int(self.amount * 100), self.currency)
        return SpendEntry(campaign, self.period, amount, self.version)


class SpendOut(BaseModel):
    """A version of what a campaign cost in a period."""

    campaign: str
    period: str
    since: date = Field(description="The first date of the period, in UTC.")
    until: date = Field(description="The last one, included.")
    version: int
    counts: bool = Field(description="Whether it is the latest version of its period.")
    amount: float | None = Field(description="Null: not known any more.")
    currency: str | None
    recorded_at: datetime

    @classmethod
    def of(cls, recorded: RecordedSpend) -> SpendOut:
        """The version as it is answered."""
        spend = recorded.spend
        return cls(
            campaign=spend.campaign,
            period=spend.period,
            since=spend.first_on,
            until=spend.last_on,
            version=spend.version,
            counts=recorded.is_latest,
            amount=None if spend.amount is None else spend.amount.cents / 100,
            currency=None if spend.amount is None else spend.amount.currency,
            recorded_at=recorded.recorded_at,
        )


class SpendQuery(BaseModel):
    """Which page of the list is answered, and how."""

    model_config = ConfigDict(extra="forbid")

    limit: Limit = 100
    after: After = None
    format: Format = Field(default=None, description=FORMAT)


@router.put(
    "/campaigns/{campaign:path}/spend",
    responses=problems(*KEY_ERRORS, InvalidRequest, BadPeriod, VersionTaken, OverlappingSpend),
)
def put_spend(campaign: NewCampaign, session: Tx, now: Now, _: Ops, body: SpendIn) -> SpendOut:
    """Say what a campaign cost in a period. It answers with the version that counts now; repeated, it adds nothing."""
    dates_of(body.period)
    recorded = record_spend(session, [body.entry(campaign)], now=now)
    for refusal in recorded.refusals.values():
        raise _ERROR_OF[refusal.cause](refusal.message)
    return SpendOut.of(latest_spend(session, campaign, body.period))


@router.get(
    "/campaigns/{campaign:path}/spend",
    response_model=Page[SpendOut],
    responses={**CSV_RESPONSE, **problems(*KEY_ERRORS, BadCursor, InvalidRequest)},
)
def read_spend(
    campaign: Campaign,
    request: Request,
    session: Tx,
    _: OpsOrRead,
    query: Annotated[SpendQuery, Query()],
) -> Page[SpendOut] | Response:
    """List what a campaign cost in all versions, the latest period and its latest version first."""
    as_csv = wants_csv(request, query.format)
    size = MAX_CSV_ROWS if as_csv else query.limit
    after = None if query.after is None else Position(*CURSOR.decode(query.after))
    rows = list_spend(session, campaign=campaign, after=after, limit=size + 1)
    if as_csv:
        more = len(rows) > size
        return csv_response(
            request,
            "spend",
            list(SpendOut.model_fields),
            (dict(SpendOut.of(it)) for it in rows[:size]),
            next_cursor=CURSOR.encode(*_position(rows[size - 1])) if more else None,
        )
    return page_of(rows, limit=query.limit, item=SpendOut.of, position=_position, cursor=CURSOR)


def _position(recorded: RecordedSpend) -> Position:
    spend = recorded.spend
    return Position(spend.last_on, spend.period, spend.version)
