"""What became of recycled leads."""

from __future__ import annotations

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from services.alignment.domain.funnel import Stage
from services.alignment.domain.progress import Outcome
from services.alignment.domain.sums import Again
from services.alignment.queries.scopes import Scope
from services.alignment.queries.selection import IN_STAGE
from services.alignment.tables import handoffs

handoff = handoffs.c
later = handoffs.alias("later")


def again_in(session: Session, scope: Scope) -> Again:
    """How many of the recycled leads qualified again, and what became of these. It depends on other handoffs."""
    afterwards = (
        select(
            (func.count() > 0).label("qualified"),
            func.bool_or(later.c.accepted_at.is_not(None)).label("accepted"),
            func.bool_or(later.c.outcome == Outcome.WON.value).label("won"),
        )
        .where(
            later.c.lead_id == handoff.lead_id,
            later.c.qualification > handoff.qualification,
            later.c.qualified_at.is_not(None),
            later.c.outcome.is_distinct_from(Outcome.MERGED.value),
        )
        .correlate(handoffs)
        .lateral("afterwards")
    )
    counts = [func.count().filter(afterwards.c[it]) for it in Again._fields]
    statement = (
        select(*counts)
        .select_from(handoffs.join(afterwards, true()))
        .where(*scope.conditions(), IN_STAGE[Stage.RECYCLED])
    )
    return Again._make(session.execute(statement).one())
