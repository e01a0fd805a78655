"""What the routing rules did."""

from __future__ import annotations

from collections import Counter, defaultdict

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.routing.domain.handoff import State
from services.routing.tables import handoffs
from shared.db.time_range import TimeRange


def handoffs_by_rule(session: Session, times: TimeRange) -> dict[str, Counter[State]]:
    """How many handoffs of leads that qualified in the time are in each state, by routing rule."""
    columns = handoffs.c
    statement = (
        select(columns.rule, columns.state, func.count().label("handoffs"))
        .where(*times.conditions(columns.qualified_at))
        .group_by(columns.rule, columns.state)
    )
    counts: dict[str, Counter[State]] = defaultdict(Counter)
    for row in session.execute(statement):
        counts[row.rule][State(row.state)] = row.handoffs
    return counts
