"""The funnel of a period: from known to won, with rates, revenue, and promises that were met and broken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from services.alignment.api.groups import DEFAULT_GROUPS, GroupLimit
from services.alignment.api.known import known_by
from services.alignment.api.parameters import KEY_ERRORS, Parameters
from services.alignment.domain.conditions import BadCondition
from services.alignment.domain.funnel import Funnel, WinSum, total_of
from services.alignment.domain.known import FIELDS, total_of_known, with_known
from services.alignment.domain.periods import BadPeriod
from services.alignment.domain.ranking import split
from services.alignment.queries.reports import funnels_by
from services.alignment.queries.selection import GroupBy
from shared.contracts.topics import LEADS_KNOWN
from shared.http.csv_tables import CSV_RESPONSE, MAX_CSV_ROWS, csv_response, wants_csv
from shared.http.dependencies import Now, OpsOrRead, Tx
from shared.http.parameters import EmptyRange
from shared.http.problems import InvalidRequest, problems
from shared.messaging import backfills

RESPONSES = {
    **CSV_RESPONSE,
    **problems(*KEY_ERRORS, InvalidRequest, EmptyRange, BadPeriod, BadCondition),
}
CENTS = 100

router = APIRouter()


class FunnelParameters(Parameters):
    """Which handoffs are counted, and how they are grouped."""

    by: GroupBy = Field(default=GroupBy.TEAM, description="What each item of the report is about.")
    limit: GroupLimit = DEFAULT_GROUPS


class RevenueOut(BaseModel):
    """The amounts of wins in one currency."""

    currency: str
    amount: float = Field(description="The sum, exact to a hundredth.")
    wins: int = Field(description="How many wins it is the sum of.")

    def __str__(self) -> str:
        """The revenue as a cell of a CSV has it."""
        return f"{self.amount:.2f} {self.currency}"


class FunnelOut(BaseModel):
    """How far the leads of a group came that qualified in the period."""

    group: str | None = Field(
        description="The campaign, source, channel, persona, tier, team or rep; null: those of which it is not known."
    )
    first_version: int | None = Field(
        description="The oldest version of the agreement under which these leads qualified."
    )
    last_version: int | None = Field(description="The newest one.")
    known: int | None = Field(
        description="Leads that became known in the period; null: not counted, as by team, tier and rep."
    )
    engaged: int | None = Field(
        description="Leads that became engaged in the period; null as `known` is."
    )
    qualified: int = Field(description="Qualifications of leads, without those in `merged`.")
    assigned: int = Field(description="Assigned to a rep at least once.")
    accepted: int = Field(description="Accepted, contacted or won by a rep.")
    rejected: int = Field(description="Rejected, and accepted by no rep.")
    contacted: int = Field(description="Contacted in a way that counts as a touch, or won.")
    won: int
    lost: int
    recycled: int = Field(description="Given back to marketing.")
    merged: int = Field(
        description="Ended since their lead was merged with another; not in any other count."
    )
    engaged_rate: float | None = Field(
        description="engaged ÷ known, of the period: not the same leads, so that it may exceed 1."
    )
    qualified_rate: float | None = Field(description="qualified ÷ engaged, of the period.")
    acceptance_rate: float | None = Field(
        description="accepted ÷ (accepted + rejected); null where nobody has answered."
    )
    contact_rate: float | None = Field(description="contacted ÷ qualified.")
    win_rate: float | None = Field(description="won ÷ qualified, so far.")
    promises_met: int = Field(description="Promises of sales about these leads that were met.")
    promises_broken: int
    attainment: float | None = Field(description="Met ÷ (met + broken).")
    revenue: list[RevenueOut] = Field(
        description="Of the wins, by currency; amounts in two currencies are never added."
    )
    wins_without_amount: int = Field(description="Wins that are worth an unknown amount.")

    @classmethod
    def of(cls, funnel: Funnel) -> FunnelOut:
        """The funnel as it is answered."""
        return cls(
            **funnel.counts._asdict(),
            known=None if funnel.known is None else funnel.known.known,
            engaged=None if funnel.known is None else funnel.known.engaged,
            engaged_rate=funnel.engaged_rate,
            qualified_rate=funnel.qualified_rate,
            acceptance_rate=funnel.acceptance_rate,
            contact_rate=funnel.contact_rate,
            win_rate=funnel.win_rate,
            promises_met=funnel.promises_met,
            promises_broken=funnel.promises_broken,
            attainment=funnel.attainment,
            revenue=[_revenue(it, it.currency) for it in funnel.wins if it.currency is not None],
            wins_without_amount=sum(it.wins for it in funnel.wins if it.currency is None),
        )


class AlignmentOut(BaseModel):
    """How far the leads came that qualified from `since` to `until`, both included, in UTC."""

    by: GroupBy
    since: date
    until: date
    is_known_complete: bool = Field(
        description="False: leads that were known before the upgrade to this version are still announced, and `known` "
        "and `engaged` are too low until all are."
    )
    total: FunnelOut = Field(description="All of them together; its `group` is null.")
    groups: int = Field(description="How many groups there are.")
    items: list[FunnelOut] = Field(
        description="The groups, the one with most leads first: at most `limit` of those that have a name."
    )
    others: FunnelOut | None = Field(
        description="The other groups together, so that nothing of `total` is missing; null: all are in `items`."
    )
    others_groups: int = Field(description="How many groups these are.")


@router.get("/alignment", response_model=AlignmentOut, responses=RESPONSES)
def alignment(
    request: Request,
    parameters: Annotated[FunnelParameters, Query()],
    session: Tx,
    now: Now,
    _: OpsOrRead,
) -> AlignmentOut | Response:
    """The funnel of a period: how many leads became known and engaged in it, and what became of those that qualified.

    From `qualified` on, leads are counted by when they qualified, whenever the rest happened: last month's figures
    still grow. `known` and `engaged` count the leads that became so in the period.
    """
    selection = parameters.selection(session, now)
    groups = funnels_by(session, selection, parameters.by)
    known = known_by(session, parameters, parameters.by, now)
    if known is not None and parameters.by in FIELDS:
        groups = with_known(groups, known)
    first, last = parameters.dates(now)
    is_known_complete = not backfills.is_running(session, LEADS_KNOWN.name)
    if wants_csv(request, parameters.format):
        same = {"since": first, "until": last, "is_known_complete": is_known_complete}
        columns = ["since", "until", *FunnelOut.model_fields, "groups", "is_known_complete"]
        rows = [
            {**same, "groups": number, **dict(it)} for it, number in _rows(groups, MAX_CSV_ROWS)
        ]
        return csv_response(request, "alignment", columns, rows)
    total = replace(total_of(groups), known=None if known is None else total_of_known(known))
    listed, others = split(groups, parameters.limit, _name)
    return AlignmentOut(
        by=parameters.by,
        since=first,
        until=last,
        is_known_complete=is_known_complete,
        total=FunnelOut.of(total),
        groups=len(groups),
        items=[FunnelOut.of(it) for it in listed],
        others=FunnelOut.of(total_of(others)) if others else None,
        others_groups=len(others),
    )


def _rows(groups: Sequence[Funnel], limit: int) -> list[tuple[FunnelOut, int]]:
    """The rows of a CSV, each with how many groups it is about."""
    listed, others = split(groups, limit, _name)
    rows = [(FunnelOut.of(it), 1) for it in listed]
    return [*rows, (FunnelOut.of(total_of(others)), len(others))] if others else rows


def _name(funnel: Funnel) -> str | None:
    return funnel.counts.group


def _revenue(win_sum: WinSum, currency: str) -> RevenueOut:
    return RevenueOut(currency=currency, amount=win_sum.cents / CENTS, wins=win_sum.wins)
