"""Acknowledgements of breaches, at most one a clock."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.sla_monitor.domain.clocks import Acknowledgement
from services.sla_monitor.tables import acknowledgements


def add_acknowledgement(session: Session, acknowledgement: Acknowledgement) -> bool:
    """Add the acknowledgement; False if the clock has one already, which stays as it is."""
    statement = (
        insert(acknowledgements)
        .values(acknowledgement._asdict())
        .on_conflict_do_nothing()
        .returning(acknowledgements.c.clock_id)
    )
    return session.scalar(statement) is not None


def acknowledgements_of(
    session: Session, clock_ids: Collection[UUID]
) -> dict[UUID, Acknowledgement]:
    """The acknowledgements of these clocks by clock; none for those that have none."""
    if not clock_ids:
        return {}
    columns = [acknowledgements.c[name] for name in Acknowledgement._fields]
    rows = session.execute(select(*columns).where(acknowledgements.c.clock_id.in_(clock_ids)))
    return {it.clock_id: it for it in map(Acknowledgement._make, rows)}


def remove_acknowledgements(session: Session, clock_ids: Collection[UUID]) -> None:
    """Delete the acknowledgements of clocks that are deleted."""
    session.execute(delete(acknowledgements).where(acknowledgements.c.clock_id.in_(clock_ids)))
