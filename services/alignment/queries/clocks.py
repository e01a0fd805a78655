"""How many clocks of a policy were met and broken, by the dates on which they were due."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, union_all
from sqlalchemy.orm import Session

from services.alignment.domain.measures import Counted
from services.alignment.queries.days import DAY
from services.alignment.queries.measures import count_kept
from services.alignment.queries.populations import Population
from services.alignment.queries.promises import IS_BROKEN, IS_MET
from services.alignment.queries.stale_days import STALE_DAYS, is_counted
from services.alignment.tables import daily_clocks, promises

promise, daily = promises.c, daily_clocks.c
OF_CLOCK = frozenset({"team", "tier"})
"""The facts that a clock has itself; the others are those of its handoff, which no day of clocks is marked for."""
_FACTS = {it: func.coalesce(promise[it], "") for it in sorted(OF_CLOCK)}


def kept_clocks(session: Session, population: Population) -> Counted:
    """How many clocks there are, and how many of them were met."""
    scope = population.scope
    if not scope.fields <= OF_CLOCK or _has_older(session, population):
        return count_kept(session, population)
    subject = population.subject
    source = STALE_DAYS.join(promises, promise.due_on == STALE_DAYS.c.day)
    uncounted = (
        select(*_sums())
        .select_from(source)
        .where(
            promise.policy == subject.policy,
            promise.due_on.between(subject.first, subject.last),
            *scope.narrowed(_FACTS),
        )
    )
    counted = select(func.sum(daily.met).label("met"), func.sum(daily.broken).label("broken"))
    conditions = [*_dated(population), *scope.narrowed({it: daily[it] for it in OF_CLOCK})]
    rows = union_all(uncounted, counted.where(*conditions)).subquery().c
    met = func.coalesce(func.sum(rows.met), 0)
    broken = func.coalesce(func.sum(rows.broken), 0)
    return Counted._make(map(int, session.execute(select(met + broken, met)).one()))


def counted_clocks() -> Select[*tuple[Any, ...]]:
    """The clocks that were due on DAY."""
    return (
        select(DAY.label("counted_on"), promise.policy)
        .add_columns(*(it.label(name) for name, it in _FACTS.items()), *_sums())
        .where(promise.due_on == DAY, or_(IS_MET, IS_BROKEN))
        .group_by(promise.policy, *_FACTS.values())
    )


def _sums() -> list[ColumnElement[int]]:
    return [
        func.count().filter(IS_MET).label("met"),
        func.count().filter(IS_BROKEN).label("broken"),
    ]


def _dated(population: Population) -> list[ColumnElement[bool]]:
    subject = population.subject
    return [
        daily.policy == subject.policy,
        daily.counted_on.between(subject.first, subject.last),
        is_counted(daily.counted_on),
    ]


def _has_older(session: Session, population: Population) -> bool:
    """Whether a condition is on facts that some of the clocks, of an older version, take from their handoffs."""
    fields = population.scope.fields
    if not fields:
        return False
    unknown = or_(*(daily[it] == "" for it in fields))
    counted = select(daily.policy).where(*_dated(population), unknown)
    uncounted = (
        select(promise.policy)
        .select_from(STALE_DAYS.join(promises, promise.due_on == STALE_DAYS.c.day))
        .where(
            promise.policy == population.subject.policy, or_(*(_FACTS[it] == "" for it in fields))
        )
    )
    return session.scalar(select(union_all(counted, uncounted).exists())) or False
