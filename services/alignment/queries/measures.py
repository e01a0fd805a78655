"""The counts and times that figures are computed from, and the leads behind them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, select, true, tuple_
from sqlalchemy.orm import Session

from services.alignment.domain.facts import HandoffFacts
from services.alignment.domain.funnel import Stage
from services.alignment.domain.measures import Counted, Measured
from services.alignment.queries.facts import facts_of
from services.alignment.queries.leads import ORDER, CountedHandoff, Position
from services.alignment.queries.populations import (
    Population,
    handover_time,
    kept,
)
from services.alignment.queries.selection import IN_STAGE, IS_LOST, IS_REJECTED
from services.alignment.tables import handoffs, promises

handoff, promise = handoffs.c, promises.c


def count_kept(session: Session, population: Population) -> Counted:
    """How many handoffs there are, and how many of them count for the figure."""
    statement = select(func.count(), func.count().filter(kept(population.subject)))
    statement = statement.select_from(handoffs).where(*population.conditions())
    return Counted._make(session.execute(statement).one())


def handover_times(session: Session, population: Population, p: float) -> Times:
    """The exact times until the first assignment, or so far, in wall time."""
    time = handover_time(population.subject.now)
    within = func.percentile_disc(p).within_group(time)
    statement = select(func.count(), within).where(*population.conditions())
    return Times._make(session.execute(statement).one())


class Times(NamedTuple):
    """How many times were measured, and the least one up to which the share `p` of them lies; None of none."""

    n: int
    within: timedelta | None


@dataclass(frozen=True, slots=True)
class Behind:
    """Which of the leads behind a figure: in this stage, and counting for it, or not; None: both."""

    population: Population
    stage: Stage
    is_kept: bool | None = None


def leads_behind(
    session: Session, behind: Behind, *, after: Position | None, limit: int
) -> list[CountedHandoff]:
    """The facts of the handoffs behind a figure, those that qualified last first."""
    statement = (
        select(_times_counted(behind).label("times"), *(handoff[it] for it in HandoffFacts._fields))
        .where(handoff.qualified_at.is_not(None), *_behind(behind))
        .order_by(*(it.desc() for it in ORDER))
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(tuple_(*ORDER) < tuple_(*after))
    return [
        CountedHandoff(facts_of(facts), number) for number, *facts in session.execute(statement)
    ]


def _behind(behind: Behind) -> list[ColumnElement[bool]]:
    """The conditions on the handoffs. Clocks are counted even if their handoff was merged into another since."""
    if behind.population.is_of_clocks:
        stage = [] if behind.stage is Stage.QUALIFIED else [IN_STAGE[behind.stage]]
        return [*stage, _clocks(behind).exists()]
    conditions = [IN_STAGE[behind.stage], *behind.population.conditions()]
    if behind.population.subject.measure is Measured.REASONS:
        return [*conditions, _ends_counted(behind) > 0]
    return [*conditions, *_kept_or_not(behind)]


def _times_counted(behind: Behind) -> ColumnElement[int]:
    """How often the figure counts a handoff that is behind it."""
    if behind.population.is_of_clocks:
        return _clocks(behind).with_only_columns(func.count()).scalar_subquery()
    if behind.population.subject.measure is Measured.REASONS:
        return _ends_counted(behind)
    return literal(1)


def _clocks(behind: Behind) -> Select[UUID]:
    """The clocks of a handoff that the figure counts."""
    return (
        select(promise.clock_id)
        .where(
            promise.handoff_id == handoff.handoff_id,
            *behind.population.conditions(),
            *_kept_or_not(behind),
        )
        .correlate(handoffs)
    )


def _kept_or_not(behind: Behind) -> list[ColumnElement[bool]]:
    if behind.is_kept is None:
        return []
    condition = kept(behind.population.subject)
    return [condition if behind.is_kept else condition.is_not(true())]


def _ends_counted(behind: Behind) -> ColumnElement[int]:
    """How many of a handoff's rejection and loss the figure counts: all, those with a reason, or those without."""
    ends = ((IS_REJECTED, handoff.rejection_reason), (IS_LOST, handoff.loss_reason))
    if behind.is_kept is None:
        return _number(IS_REJECTED) + _number(IS_LOST)
    rejected, lost = (
        _number(and_(ended, reason.is_not(None) if behind.is_kept else reason.is_(None)))
        for ended, reason in ends
    )
    return rejected + lost


def _number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """1 where the condition holds, else 0."""
    return case((condition, 1), else_=0)
