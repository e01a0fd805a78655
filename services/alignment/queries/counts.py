"""How many handoffs there are of each kind, and by which facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from services.alignment.domain.funnel import Stage
from services.alignment.domain.groups import GroupCount
from services.alignment.domain.sums import Counts
from services.alignment.queries.populations import IS_LOST, IS_REJECTED, IS_UNTOUCHED
from services.alignment.queries.scopes import OF_HANDOFF, Scope
from services.alignment.queries.selection import COUNTED, IN_STAGE
from services.alignment.tables import handoffs

handoff = handoffs.c


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count().filter(condition)


COUNTS: Mapping[str, ColumnElement[int]] = {
    "qualified": _count(COUNTED),
    "assigned": _count(IN_STAGE[Stage.ASSIGNED]),
    "accepted": _count(IN_STAGE[Stage.ACCEPTED]),
    "rejected": _count(IN_STAGE[Stage.REJECTED]),
    "recycled": _count(IN_STAGE[Stage.RECYCLED]),
    "untouched": _count(IS_UNTOUCHED),
    "attempts": func.coalesce(func.sum(handoff.attempts).filter(IN_STAGE[Stage.ASSIGNED]), 0),
    "answers": _count(IS_REJECTED) + _count(IS_LOST),
    "reasoned": _count(and_(IS_REJECTED, handoff.rejection_reason.is_not(None)))
    + _count(and_(IS_LOST, handoff.loss_reason.is_not(None))),
}
"""How each number of Counts is counted."""


def counts_in(session: Session, scope: Scope) -> Counts:
    """How many handoffs of each kind there are."""
    counts = [COUNTS[it] for it in Counts._fields]
    return Counts._make(session.execute(select(*counts).where(*scope.conditions())).one())


def groups_in(session: Session, scope: Scope, fields: Sequence[str]) -> list[GroupCount]:
    """How many qualified by these facts, at least one; an empty text for what is not known."""
    facts = [func.coalesce(OF_HANDOFF[it], "").label(it) for it in fields]
    statement = select(func.count(), *facts).where(*scope.conditions(), COUNTED).group_by(*facts)
    return [GroupCount(tuple(group), count) for count, *group in session.execute(statement)]
