"""The wins that a campaign or a channel is credited with, each with its part of the credit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, ClassVar, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.orm import Session

from services.alignment.api.amounts import CENTS, AmountOut
from services.alignment.api.attribution import (
    MAX_WINS,
    NAMES,
    TOO_MANY,
    AttributionParameters,
    CreditBy,
    find_policy,
)
from services.alignment.api.parameters import KEY_ERRORS
from services.alignment.domain.attribution import Touch, credit_of
from services.alignment.domain.periods import BadPeriod
from services.alignment.domain.policy import AlignmentPolicy, terms_of
from services.alignment.queries.touches import WonHandoff, won_handoffs
from shared.agreement.model import Attribution, AttributionModel
from shared.agreement.store import Policies
from shared.http.csv_tables import CSV_RESPONSE, columns_of, csv_response, row_of, wants_csv
from shared.http.dependencies import Now, OpsOrRead, Tx
from shared.http.pages import After, BadCursor, Cursor, Limit, page_of
from shared.http.parameters import Count, EmptyRange, PlainText
from shared.http.problems import InvalidRequest, problems

RESPONSES = {
    **CSV_RESPONSE,
    **problems(*KEY_ERRORS, BadCursor, InvalidRequest, EmptyRange, BadPeriod),
}


class WinParameters(AttributionParameters):
    """Which wins are listed, and which page of them is answered."""

    group: PlainText | None = Field(
        default=None,
        description="Only wins that this campaign or channel is credited with; empty (`=`): those of touches that "
        "name none, and of leads without a touch; by default every win.",
    )
    touched: bool | None = Field(
        default=None,
        description="With an empty `group`: `true`: credit of touches that name none; `false`: wins of leads without "
        "a touch in the window.",
    )
    currency: PlainText | None = Field(
        default=None, description="Only wins whose amount is in this currency."
    )
    model: AttributionModel | None = Field(
        default=None, description="By default the one that the agreement prefers."
    )
    limit: Limit = 100
    after: After = None

    cursor: ClassVar = Cursor("wins", tuple[AwareDatetime, UUID, Count])

    def is_of_group(self, touch: Touch | None) -> bool:
        """Whether the credit of this touch, or of a win without one, is that of the group."""
        name = None if touch is None else NAMES[self.by](touch)
        if self.group:
            return name == self.group
        is_touched = touch is not None
        return self.group is None or (name is None and self.touched in {None, is_touched})


class CreditedWinOut(BaseModel):
    """A win, and what of it the group is credited with."""

    lead_id: UUID
    qualification: int
    handoff_id: UUID | None
    won_at: datetime
    campaign: str | None = Field(description="The lead's last campaign.")
    rep: str | None = Field(description="The rep who won it.")
    amount: float
    credit: float = Field(description="The part of the amount that the group is credited with.")
    currency: str


class CreditedWinsOut(BaseModel):
    """The wins from `since` to `until`, both included, in UTC, that a group is credited with: one page of them."""

    by: CreditBy
    group: str | None
    since: date
    until: date
    model: AttributionModel
    wins: int = Field(description="On all pages.")
    credit: list[AmountOut] = Field(
        description="Of all pages, by currency: what `/v1/attribution` says of the group by this model."
    )
    items: list[CreditedWinOut] = Field(description="The latest win first.")
    next: str | None = Field(description="The `after` of the next page; null on the last page.")


class _Credited(NamedTuple):
    """A win, and the hundredths that are credited of it."""

    won: WonHandoff
    cents: int

    @property
    def position(self) -> tuple[datetime, UUID, int]:
        """Where it stands in the list."""
        return self.won.win.won_at, self.won.key.lead_id, self.won.key.qualification

    def out(self) -> CreditedWinOut:
        """The win as it is answered."""
        win = self.won.win
        return CreditedWinOut(
            **self.won.key._asdict(),
            handoff_id=self.won.handoff_id,
            won_at=win.won_at,
            campaign=self.won.campaign,
            rep=self.won.rep,
            amount=win.cents / CENTS,
            credit=self.cents / CENTS,
            currency=win.currency,
        )


def router(policies: Policies[AlignmentPolicy]) -> APIRouter:
    """The route; `policies` has the agreement's versions."""
    routes = APIRouter()

    @routes.get("/attribution/wins", response_model=CreditedWinsOut, responses=RESPONSES)
    def credited_wins(
        request: Request,
        parameters: Annotated[WinParameters, Query()],
        session: Tx,
        now: Now,
        _: OpsOrRead,
    ) -> CreditedWinsOut | Response:
        """The wins behind a figure of attribution, each with what of it a campaign or a channel is credited with.

        Over all pages the credit sums to the figure exactly. Wins of unknown amount are in no sum, and not here.
        """
        policy = find_policy(session, policies)
        section = Attribution() if policy is None else policy.agreement.attribution
        model = parameters.model or section.show
        credited = _credited(session, parameters, section, model, now=now)
        if wants_csv(request, parameters.format):
            columns = list(columns_of(CreditedWinOut))
            rows = [row_of(it.out(), columns) for it in credited]
            return csv_response(request, "wins", columns, rows)
        return _page(parameters, credited, model, now=now)

    return routes


def _credited(
    session: Session,
    parameters: WinParameters,
    section: Attribution,
    model: AttributionModel,
    *,
    now: datetime,
) -> list[_Credited]:
    """The wins that are credited, the latest first; raises BadPeriod."""
    won = won_handoffs(session, parameters.times(now), limit=MAX_WINS + 1)
    if len(won) > MAX_WINS:
        raise BadPeriod(TOO_MANY)
    terms = terms_of(section)
    credited = [
        _Credited(it, credit_of(it.win, model, terms, parameters.is_of_group))
        for it in won
        if parameters.currency in {None, it.win.currency}
    ]
    listed = [it for it in credited if it.cents or parameters.group is None]
    return sorted(listed, key=_position, reverse=True)


def _page(
    parameters: WinParameters,
    credited: Sequence[_Credited],
    model: AttributionModel,
    *,
    now: datetime,
) -> CreditedWinsOut:
    cents: Counter[str] = Counter()
    for win in credited:
        cents[win.won.win.currency] += win.cents
    after = None if parameters.after is None else parameters.cursor.decode(parameters.after)
    page = page_of(
        [it for it in credited if after is None or it.position < after][: parameters.limit + 1],
        limit=parameters.limit,
        item=_Credited.out,
        position=_position,
        cursor=parameters.cursor,
    )
    first, last = parameters.dates(now)
    return CreditedWinsOut(
        by=parameters.by,
        group=parameters.group,
        since=first,
        until=last,
        model=model,
        wins=len(credited),
        credit=[AmountOut(currency=it, amount=cents[it] / CENTS) for it in sorted(cents)],
        items=page.items,
        next=page.next,
    )


def _position(credited: _Credited) -> tuple[datetime, UUID, int]:
    return credited.position
