"""The funnel of each group."""

from __future__ import annotations

from sqlalchemy.orm import Session

from services.alignment.domain.funnel import Funnel
from services.alignment.domain.tallies import funnels_of
from services.alignment.queries.selection import GroupBy, Selection
from services.alignment.queries.tallies import tallies_by


def funnels_by(session: Session, selection: Selection, group_by: GroupBy) -> list[Funnel]:
    """The funnel of each group of the selected handoffs, the one with most leads first."""
    return funnels_of(tallies_by(session, selection, group_by))
