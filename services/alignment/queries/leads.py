"""The handoffs behind a figure, page by page."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from services.alignment.domain.facts import HandoffFacts
from services.alignment.domain.funnel import Stage
from services.alignment.queries.facts import facts_of
from services.alignment.queries.selection import IN_STAGE, Selection
from services.alignment.tables import handoffs

handoff = handoffs.c
ORDER = (handoff.qualified_at, handoff.lead_id, handoff.qualification)


class Position(NamedTuple):
    """The end of a page: when its last handoff qualified, and which one it is."""

    qualified_at: datetime
    lead_id: UUID
    qualification: int


def handoffs_in(
    session: Session, selection: Selection, stage: Stage, *, after: Position | None, limit: int
) -> list[HandoffFacts]:
    """The facts of the handoffs in this stage, those that qualified last first."""
    statement = (
        select(*(handoff[it] for it in HandoffFacts._fields))
        .where(*selection.conditions(), IN_STAGE[stage])
        .order_by(*(it.desc() for it in ORDER))
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(tuple_(*ORDER) < tuple_(*after))
    return list(map(facts_of, session.execute(statement)))
