"""How many handoffs have each value of what has few of them: reasons of rejections, and sets of traits."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from services.alignment.domain.funnel import Stage
from services.alignment.domain.sums import Valued
from services.alignment.queries.scopes import Scope
from services.alignment.queries.selection import COUNTED, IN_STAGE
from services.alignment.tables import handoffs

handoff = handoffs.c
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
    labelled = value.label("value")
    statement = (
        select(labelled, func.count().label("number"))
        .where(*scope.conditions(), condition)
        .group_by(labelled)
    )
    return {row.value: row.number for row in session.execute(statement)}
