"""The funnel of each group: from tallies where they have it, else from the handoffs."""

from __future__ import annotations

from sqlalchemy.orm import Session

from services.alignment.domain.funnel import Funnel, funnels
from services.alignment.domain.tallies import funnels_of
from services.alignment.queries.funnel import promise_counts, stage_counts, win_sums
from services.alignment.queries.selection import GroupBy, Selection
from services.alignment.queries.tallies import is_tallied, sums_by


def funnels_by(session: Session, selection: Selection, group_by: GroupBy) -> list[Funnel]:
    """The funnel of each group of the selected handoffs, the one with most leads first."""
    if is_tallied(selection, group_by):
        return funnels_of(sums_by(session, selection, group_by))
    return funnels(
        stage_counts(session, selection, group_by),
        win_sums(session, selection, group_by),
        promise_counts(session, selection, group_by),
    )
