"""How many handoffs there are of each kind, and by which facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, true, union_all
from sqlalchemy.orm import Session

from services.alignment.domain.groups import GroupCount
from services.alignment.domain.sums import Counts
from services.alignment.queries.scopes import OF_HANDOFF, Scope
from services.alignment.queries.selection import COUNTED, GroupBy
from services.alignment.queries.tallies import FOLLOW_UPS, SUMS, again, field_of
from services.alignment.tables import daily_tallies

tally = daily_tallies.c
OF_TALLY: Mapping[str, ColumnElement[Any]] = {it.value: tally[it.value] for it in GroupBy}
_SUMS = {**SUMS, **FOLLOW_UPS}


def counts_in(session: Session, scope: Scope) -> Counts:
    """How many handoffs of each kind there are."""
    field = field_of(scope.fields)
    parts: list[Select[*tuple[Any, ...]]] = [
        select(*(_SUMS[it].label(it) for it in Counts._fields))
        .select_from(it.source.join(again, true()))
        .where(*it.conditions)
        for it in ([scope.itself] if field is None else scope.uncounted)
    ]
    if field is not None:
        sums = [func.sum(tally[it]).label(it) for it in Counts._fields]
        parts.append(select(*sums).where(*_counted(scope, field)))
    numbers = union_all(*parts).subquery().c
    totals = [func.coalesce(func.sum(numbers[it]), 0) for it in Counts._fields]
    return Counts._make(map(int, session.execute(select(*totals)).one()))


def group_counts(session: Session, scope: Scope, fields: Sequence[str]) -> list[GroupCount]:
    """How many qualified by these facts, an empty text for what is not known."""
    field = field_of({*scope.fields, *fields})
    facts = [func.coalesce(OF_HANDOFF[it], "").label(it) for it in fields]
    qualified = select(func.count().label("number"), *facts).where(COUNTED)
    parts: list[Select[*tuple[Any, ...]]] = [
        qualified.select_from(it.source).where(*it.conditions).group_by(*facts)
        for it in ([scope.itself] if field is None else scope.uncounted)
    ]
    if field is not None:
        names = [OF_TALLY[it] for it in fields]
        counted = select(func.sum(tally.qualified).label("number"), *names)
        parts.append(counted.where(*_counted(scope, field)).group_by(*names))
    rows = union_all(*parts).subquery().c
    groups = [rows[it] for it in fields]
    statement = select(func.sum(rows.number), *groups).group_by(*groups)
    return [
        GroupCount(tuple(group), int(number))
        for number, *group in session.execute(statement)
        if number
    ]


def _counted(scope: Scope, field: str) -> list[ColumnElement[bool]]:
    return [tally.field == field, *scope.counted(tally.counted_on), *scope.narrowed(OF_TALLY)]
