"""How many handoffs have each value of what has few of them: reasons of rejections, and sets of traits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    TableValuedAlias,
    Text,
    and_,
    case,
    column,
    func,
    literal,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import Session

from services.alignment.domain.funnel import Stage
from services.alignment.domain.sums import Valued
from services.alignment.queries.days import DAY, SINCE, UNTIL
from services.alignment.queries.scopes import FACTS, Scope, field_and_name, named
from services.alignment.queries.selection import COUNTED, IN_STAGE
from services.alignment.tables import daily_values, handoffs

handoff, daily = handoffs.c, daily_values.c
_VALUES: Mapping[Valued, tuple[ColumnElement[bool], ColumnElement[str]]] = {
    Valued.REASON: (IN_STAGE[Stage.REJECTED], func.coalesce(handoff.rejection_reason, "")),
    Valued.TRAITS: (
        and_(COUNTED, handoff.traits.is_not(None)),
        func.array_to_string(handoff.traits, "\n"),
    ),
}
"""Of which handoffs a value is counted, and which one."""


def values_in(session: Session, scope: Scope, kind: Valued) -> dict[str, int]:
    """How many handoffs have each value."""
    condition, value = _VALUES[kind]
    parts: list[Select[*tuple[Any, ...]]] = [
        select(value.label("value"), func.count().label("handoffs"))
        .select_from(it.source)
        .where(*it.conditions, condition)
        .group_by(value)
        for it in scope.read_itself
    ]
    if scope.field is not None:
        parts.append(
            select(daily.value, daily.handoffs).where(
                daily.field == scope.field,
                *named(scope, daily.name),
                *scope.counted(daily.counted_on),
                daily.kind == kind.value,
            )
        )
    rows = union_all(*parts).subquery().c
    statement = select(rows.value, func.sum(rows.handoffs).label("number")).group_by(rows.value)
    return {row.value: int(row.number) for row in session.execute(statement)}


def counted_values() -> Select[*tuple[Any, ...]]:
    """The values of the handoffs that qualified on DAY, by each of their facts."""
    values = _values()
    key = (values.c.kind, values.c.value)
    sets = [tuple_(*key), *(tuple_(*key, it) for it in FACTS.values())]
    statement: Select[*tuple[Any, ...]] = (
        select(
            DAY.label("counted_on"),
            *field_and_name(FACTS),
            *key,
            func.count().label("handoffs"),
        )
        .select_from(handoffs.join(values, values.c.value.is_not(None)))
        .where(handoff.qualified_at >= SINCE, handoff.qualified_at < UNTIL)
        .group_by(func.grouping_sets(*sets))
    )
    return statement


def _values() -> TableValuedAlias:
    """A row for each kind of value of a handoff, null where it has none of it."""
    names = array([literal(it.value, Text) for it in _VALUES])
    values = array([case((condition, value)) for condition, value in _VALUES.values()])
    return (
        func.unnest(names, values)
        .table_valued(column("kind", Text), column("value", Text), name="values_of")
        .render_derived()
    )
