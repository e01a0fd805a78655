"""What became of campaigns' leads in some days, each thing counted when it happened."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, and_, distinct, func, or_, select
from sqlalchemy.orm import Session

from services.alignment.domain.funnel import Stage, WinSum
from services.alignment.domain.outcomes import OutcomeCounts, Rejections
from services.alignment.queries.selection import HAPPENED_AT, IN_STAGE
from services.alignment.tables import handoffs
from shared.db.time_range import TimeRange

handoff = handoffs.c

_COUNTED = (Stage.QUALIFIED, Stage.ACCEPTED, Stage.REJECTED, Stage.CONTACTED, Stage.WON)


def outcome_counts(
    session: Session, times: TimeRange, *, campaign: str | None = None
) -> list[OutcomeCounts]:
    """The counts of each campaign of which something happened, or of this one."""
    counts = _counts(times)
    statement = select(handoff.campaign, *counts).where(_happened(times))
    if campaign is not None:
        statement = statement.where(handoff.campaign == campaign)
    rows = session.execute(statement.group_by(handoff.campaign)).mappings()
    return [OutcomeCounts(**row) for row in rows]


def total_counts(session: Session, times: TimeRange) -> OutcomeCounts:
    """The counts of all campaigns together; a lead that several of them won is one customer."""
    statement = select(*_counts(times)).where(_happened(times))
    return OutcomeCounts(None, **session.execute(statement).mappings().one())


def rejections_by_reason(
    session: Session, times: TimeRange, *, campaign: str | None = None
) -> list[Rejections]:
    """Rejections by campaign and reason."""
    by = (handoff.campaign, handoff.rejection_reason)
    statement = (
        select(*by, func.count())
        .where(_came_to(Stage.REJECTED, times), *_of(campaign))
        .group_by(*by)
    )
    return list(map(Rejections._make, session.execute(statement)))


def won_sums(session: Session, times: TimeRange, *, campaign: str | None = None) -> list[WinSum]:
    """The wins of each campaign by the currency of their amounts."""
    by = (handoff.campaign, handoff.currency)
    cents = func.coalesce(func.sum(handoff.amount_cents), 0)
    statement = (
        select(*by, func.count(), cents)
        .where(_came_to(Stage.WON, times), *_of(campaign))
        .group_by(*by)
    )
    return [
        WinSum(group, currency, wins, int(sum_cents))
        for group, currency, wins, sum_cents in session.execute(statement)
    ]


def count_paying_customers(session: Session, times: TimeRange, currencies: Collection[str]) -> int:
    """How many leads were won for an amount in one of these currencies."""
    statement = select(func.count(distinct(handoff.lead_id))).where(
        _came_to(Stage.WON, times), handoff.currency.in_(currencies)
    )
    return session.scalars(statement).one()


def _counts(times: TimeRange) -> list[ColumnElement[Any]]:
    customers = func.count(distinct(handoff.lead_id)).filter(_came_to(Stage.WON, times))
    counts = [func.count().filter(_came_to(it, times)).label(it.value) for it in _COUNTED]
    return [*counts, customers.label("customers")]


def _happened(times: TimeRange) -> ColumnElement[bool]:
    return or_(*(_came_to(it, times) for it in _COUNTED))


def _came_to(stage: Stage, times: TimeRange) -> ColumnElement[bool]:
    return and_(IN_STAGE[stage], *times.conditions(HAPPENED_AT[stage]))


def _of(campaign: str | None) -> list[ColumnElement[bool]]:
    return [] if campaign is None else [handoff.campaign == campaign]
