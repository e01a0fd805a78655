"""What became of campaigns' leads in some days, each thing counted when it happened.

It is counted on the day on which the lead qualified, as all sums of handoffs are, by the day on which it happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Select,
    TableValuedAlias,
    Text,
    case,
    column,
    distinct,
    func,
    literal,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import Session

from services.alignment.domain.funnel import Stage
from services.alignment.domain.outcomes import OutcomeSum
from services.alignment.queries.days import DAY, SINCE, UNTIL, day_of
from services.alignment.queries.selection import HAPPENED_AT, IN_STAGE
from services.alignment.queries.stale_days import STALE_DAYS, is_counted, of_stale_days
from services.alignment.tables import daily_outcomes, handoffs
from shared.db.time_range import TimeRange

handoff, daily = handoffs.c, daily_outcomes.c

_COUNTED = (Stage.QUALIFIED, Stage.ACCEPTED, Stage.REJECTED, Stage.CONTACTED, Stage.WON)


class Customers(NamedTuple):
    """How many leads were won: each counts once however often, for each campaign, in all, and by who pays."""

    by_campaign: Mapping[str | None, int]
    all: int
    """By whichever campaign."""
    paying: int
    """For an amount in one of the currencies that are asked for."""


def outcome_sums(
    session: Session, since: datetime, until: datetime, *, campaign: str | None = None
) -> list[OutcomeSum]:
    """What became of the leads of each campaign, or of this one, from the one midnight in UTC to the other."""
    rows = union_all(_counted(since, until), _uncounted(since, until)).subquery()
    statement = select(rows)
    if campaign is not None:
        statement = statement.where(rows.c.campaign == campaign)
    handoffs_by, cents_by = Counter[_Key](), Counter[_Key]()
    for row in session.execute(statement):
        key = _Key(row.campaign or None, Stage(row.stage), row.detail or None)
        handoffs_by[key] += int(row.handoffs)
        cents_by[key] += int(row.cents)
    return [OutcomeSum(*key, number, cents_by[key]) for key, number in handoffs_by.items()]


class _Key(NamedTuple):
    """By what outcomes are summed."""

    campaign: str | None
    stage: Stage
    detail: str | None


def counted_outcomes() -> Select[*tuple[Any, ...]]:
    """What became of the leads that qualified on DAY, by campaign and by the day on which it happened."""
    is_of_day = [handoff.qualified_at >= SINCE, handoff.qualified_at < UNTIL]
    steps = _steps()
    happened_on = day_of(steps.c.at)
    by = _keys(steps)
    return (
        select(DAY.label("counted_on"), happened_on.label("happened_on"), *by, *_sums(steps))
        .select_from(handoffs.join(steps, steps.c.at.is_not(None)))
        .where(*is_of_day)
        .group_by(happened_on, *by)
    )


def customers_in(session: Session, times: TimeRange, currencies: Collection[str]) -> Customers:
    """How many leads were won; an index has all wins."""
    leads = func.count(distinct(handoff.lead_id))
    statement = (
        select(
            func.grouping(handoff.campaign).label("is_total"),
            handoff.campaign,
            leads.label("customers"),
            leads.filter(handoff.currency.in_(currencies)).label("paying"),
        )
        .where(IN_STAGE[Stage.WON], *times.conditions(handoff.closed_at))
        .group_by(func.grouping_sets(tuple_(handoff.campaign), tuple_()))
    )
    rows = session.execute(statement).all()
    [total] = [it for it in rows if it.is_total]
    by_campaign = {it.campaign: it.customers for it in rows if not it.is_total}
    return Customers(by_campaign, total.customers, total.paying)


def _counted(since: datetime, until: datetime) -> Select[*tuple[Any, ...]]:
    first, end = (it.astimezone(UTC).date() for it in (since, until))
    by = (daily.campaign, daily.stage, daily.detail)
    sums = (func.sum(daily[it]).label(it) for it in ("handoffs", "cents"))
    is_within = (daily.happened_on >= first, daily.happened_on < end)
    return select(*by, *sums).where(is_counted(daily.counted_on), *is_within).group_by(*by)


def _uncounted(since: datetime, until: datetime) -> Select[*tuple[Any, ...]]:
    """What has happened with the handoffs of stale days."""
    stale = STALE_DAYS.join(handoffs, of_stale_days(handoff.qualified_at))
    steps = _steps()
    by = _keys(steps)
    return (
        select(*by, *_sums(steps))
        .select_from(stale.join(steps, true()))
        .where(steps.c.at >= since, steps.c.at < until)
        .group_by(*by)
    )


def _steps() -> TableValuedAlias:
    """A row for each stage of a handoff, with the instant at which it came to it; null where it did not."""
    stages = array([literal(it.value, Text) for it in _COUNTED])
    instants = array([case((IN_STAGE[it], HAPPENED_AT[it])) for it in _COUNTED])
    return (
        func.unnest(stages, instants)
        .table_valued(column("stage", Text), column("at", DateTime(timezone=True)), name="steps")
        .render_derived()
    )


def _keys(steps: TableValuedAlias) -> list[ColumnElement[Any]]:
    detail = case(
        (steps.c.stage == Stage.REJECTED.value, func.coalesce(handoff.rejection_reason, "")),
        (steps.c.stage == Stage.WON.value, func.coalesce(handoff.currency, "")),
        else_="",
    )
    campaign = func.coalesce(handoff.campaign, "")
    return [campaign.label("campaign"), steps.c.stage, detail.label("detail")]


def _sums(steps: TableValuedAlias) -> list[ColumnElement[Any]]:
    is_won = steps.c.stage == Stage.WON.value
    cents = func.coalesce(func.sum(handoff.amount_cents).filter(is_won), 0)
    return [func.count().label("handoffs"), cents.label("cents")]
