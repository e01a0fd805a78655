"""How many clocks of a policy were met and broken, by the dates on which they were due."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    func,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from services.alignment.domain.groups import Group
from services.alignment.domain.measures import Counted
from services.alignment.queries.days import DAY
from services.alignment.queries.populations import OF_CLOCK, Population
from services.alignment.queries.promises import IS_BROKEN, IS_MET
from services.alignment.queries.scopes import FACTS
from services.alignment.queries.stale_days import STALE_DAYS, is_counted
from services.alignment.queries.tallies import NAMES_OF, field_and_facts, field_of
from services.alignment.tables import daily_attainment, handoffs, promises

promise, daily = promises.c, daily_attainment.c
OF_DAY: Mapping[str, ColumnElement[str]] = {it: daily[it] for it in FACTS}
SUMS = {"met": func.count().filter(IS_MET), "broken": func.count().filter(IS_BROKEN)}
"""What is summed of clocks."""


def kept_clocks(session: Session, population: Population) -> Counted:
    """How many clocks there are, and how many of them were met."""
    rows = _rows(population, []).c
    met, broken = (func.coalesce(func.sum(rows[it]), 0) for it in SUMS)
    return Counted._make(map(int, session.execute(select(met + broken, met)).one()))


def clock_groups(session: Session, population: Population, fields: Sequence[str]) -> list[Group]:
    """The facts of these fields that clocks have, an empty text for what is not known; one group without fields."""
    if not fields:
        return [()]
    rows = _rows(population, fields).c
    return list(map(tuple, session.execute(select(*(rows[it] for it in fields)).distinct())))


def counted_clocks() -> Select[*tuple[Any, ...]]:
    """The clocks that were due on DAY, by their facts."""
    clocks = (
        select(promise.policy, *_labelled(FACTS), IS_MET.label("met"), IS_BROKEN.label("broken"))
        .select_from(_with_handoffs(promises))
        .where(promise.due_on == DAY, or_(IS_MET, IS_BROKEN))
        .subquery()
        .c
    )
    facts = {it: clocks[it] for it in FACTS}
    sets = [tuple_(clocks.policy, *(facts[it] for it in names)) for names in NAMES_OF.values()]
    return (
        select(DAY.label("counted_on"), clocks.policy, *field_and_facts(facts))
        .add_columns(*(func.count().filter(clocks[it]).label(it) for it in SUMS))
        .group_by(func.grouping_sets(*sets))
    )


def _rows(population: Population, fields: Sequence[str]) -> Subquery:
    """The sums of clocks by these facts: of what was counted and of stale days, or of all if no field has the facts."""
    facts, scope, subject = _labelled(fields), population.scope, population.subject
    read = {*scope.fields, *fields}
    field = field_of(read)
    stale = STALE_DAYS.join(promises, promise.due_on == STALE_DAYS.c.day)
    clocks = promises if field is None else stale
    uncounted = (
        select(*facts, *(it.label(name) for name, it in SUMS.items()))
        .select_from(_with_handoffs(clocks) if read else clocks)
        .where(*population.conditions())
        .group_by(*facts)
    )
    if field is None:
        return uncounted.subquery()
    names = [daily[it] for it in fields]
    counted = (
        select(*names, *(func.sum(daily[it]).label(it) for it in SUMS))
        .where(
            daily.field == field,
            daily.policy == subject.policy,
            daily.counted_on.between(subject.first, subject.last),
            is_counted(daily.counted_on),
            *scope.narrowed(OF_DAY),
        )
        .group_by(*names)
    )
    return union_all(uncounted, counted).subquery()


def _labelled(fields: Iterable[str]) -> list[ColumnElement[Any]]:
    return [OF_CLOCK[it].label(it) for it in fields]


def _with_handoffs(clocks: FromClause) -> FromClause:
    return clocks.outerjoin(handoffs, promise.handoff_id == handoffs.c.handoff_id)
