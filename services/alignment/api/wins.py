"""The wins that a campaign or a channel is credited with, each with its part of the credit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Annotated, ClassVar
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.orm import Session

from services.alignment.api.amounts import CENTS, AmountOut
from services.alignment.api.attribution import AttributionParameters
from services.alignment.api.parameters import KEY_ERRORS
from services.alignment.domain.attribution import (
    NAMES,
    CreditBy,
    Group,
    Terms,
    Touch,
    credit_of,
)
from services.alignment.domain.credits import NotCounted
from services.alignment.domain.periods import BadPeriod
from services.alignment.domain.policy import AlignmentPolicy, attribution_of, terms_of
from services.alignment.queries.credits import credits_in, days_of_credit
from services.alignment.queries.wins import Position, WonHandoff, won_handoffs
from shared.agreement.model import AttributionModel
from shared.agreement.store import Policies
from shared.http.csv_tables import CSV_RESPONSE, columns_of, csv_of_pages, row_of, wants_csv
from shared.http.dependencies import Now, OpsOrRead, Tx
from shared.http.pages import After, BadCursor, Cursor, Limit, Page
from shared.http.parameters import Count, EmptyRange, PlainText
from shared.http.problems import InvalidRequest, problems

RESPONSES = {
    **CSV_RESPONSE,
    **problems(*KEY_ERRORS, BadCursor, InvalidRequest, EmptyRange, BadPeriod, NotCounted),
}
MAX_READ = 5_000
"""So many wins are looked at for a page."""


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
        return self._has(name, is_touched=touch is not None)

    def names(self, group: Group) -> bool:
        """Whether the credit of the group is asked for."""
        is_of_currency = self.currency in {None, group.currency}
        return is_of_currency and self._has(group.name, is_touched=group.is_touched)

    def _has(self, name: str | None, *, is_touched: bool) -> bool:
        if self.group:
            return name == self.group
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

    @classmethod
    def of(cls, won: WonHandoff, cents: int) -> CreditedWinOut:
        """The win as it is answered, with the hundredths that are credited of it."""
        return cls(
            **won.key._asdict(),
            handoff_id=won.handoff_id,
            won_at=won.win.won_at,
            campaign=won.campaign,
            rep=won.rep,
            amount=won.win.cents / CENTS,
            credit=cents / CENTS,
            currency=won.win.currency,
        )


class CreditedWinsOut(BaseModel):
    """The wins from `since` to `until`, both included, in UTC, that a group is credited with: one page of them."""

    by: CreditBy
    group: str | None
    since: date
    until: date
    model: AttributionModel
    wins: int | None = Field(
        description="On all pages; it is counted for the first one, and null on those after it."
    )
    credit: list[AmountOut] | None = Field(
        description="Of all pages, by currency: what `/v1/attribution` says of the group by this model; null as `wins`."
    )
    items: list[CreditedWinOut] = Field(description="The latest win first.")
    next: str | None = Field(description="The `after` of the next page; null on the last page.")


@dataclass(frozen=True, slots=True)
class _List:
    """A list of wins: those that a group is credited with by a model."""

    session: Session
    parameters: WinParameters
    model: AttributionModel
    terms: Terms
    now: datetime


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

        Over all pages the credit sums to the figure exactly. A page may be short and still have a next one. Wins of no
        amount, or of an unknown one, are in no sum, and not here.
        """
        section = attribution_of(policies.find_current(session))
        model = parameters.model or section.show
        listed = _List(session, parameters, model, terms_of(section), now)
        if wants_csv(request, parameters.format):
            columns = list(columns_of(CreditedWinOut))
            return csv_of_pages(
                request,
                "wins",
                partial(_page, listed),
                lambda it: row_of(it, columns),
                columns=columns,
            )
        return _out(listed)

    return routes


def _out(listed: _List) -> CreditedWinsOut:
    parameters = listed.parameters
    page = _page(listed, parameters.after, parameters.limit)
    wins, credit = (None, None) if parameters.after is not None else _total(listed)
    first, last = parameters.dates(listed.now)
    return CreditedWinsOut(
        by=parameters.by,
        group=parameters.group,
        since=first,
        until=last,
        model=listed.model,
        wins=wins,
        credit=credit,
        items=page.items,
        next=page.next,
    )


def _total(listed: _List) -> tuple[int, list[AmountOut]]:
    """How many wins the group is credited with, and how much of them."""
    parameters = listed.parameters
    times = parameters.times(listed.now)
    wins = credits_in(listed.session, times, parameters.by, listed.terms)
    groups = {it: of_group for it, of_group in wins.groups.items() if parameters.names(it)}
    # by the model of the first touch each win is that of one group
    model = AttributionModel.FIRST if parameters.group is None else listed.model
    cents = Counter[str]()
    for group, of_group in groups.items():
        cents[group.currency] += of_group.cents[listed.model]
    credit = [AmountOut(currency=it, amount=cents[it] / CENTS) for it in sorted(+cents)]
    return sum(it.wins[model] for it in groups.values()), credit


def _page(listed: _List, after: str | None, limit: int) -> Page[CreditedWinOut]:
    """The wins after a cursor, at most `limit`, of MAX_READ that are read."""
    parameters, cursor = listed.parameters, WinParameters.cursor
    last = None if after is None else Position(*cursor.decode(after))
    items: list[CreditedWinOut] = []
    with closing(_wins(listed, last)) as wins:
        for number, won in enumerate(wins):
            if last is not None and (len(items) == limit or number == MAX_READ):
                return Page(items=items, next=cursor.encode(*last))
            last = won.position
            cents = credit_of(won.win, listed.model, listed.terms, parameters.is_of_group)
            if cents:
                items.append(CreditedWinOut.of(won, cents))
    return Page(items=items)


def _wins(listed: _List, after: Position | None) -> Generator[WonHandoff]:
    """The wins of days on which anything is credited to the group."""
    parameters, name = listed.parameters, listed.parameters.group
    days = None
    if name is not None:
        days = days_of_credit(parameters.by, name, listed.model, listed.terms)
    return won_handoffs(
        listed.session,
        parameters.times(listed.now),
        days=days,
        currency=parameters.currency,
        after=after,
        limit=MAX_READ + 1,
    )
