"""Leads that were merged into others, and the lock that keeps merges apart from everything else that moves handoffs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.routing.tables import merged_leads
from shared.db.locks import AdvisoryLock

_LOCK = {"key": int(AdvisoryLock.MERGES)}


def share_lock(session: Session) -> None:
    """Wait for merges, and let new ones wait until the transaction ends. Others may share the lock.

    Call it before rows are locked. A statement that comes after it sees every merge that was committed before it.
    """
    session.execute(text("select pg_advisory_xact_lock_shared(:key)"), _LOCK)


def take_lock(session: Session) -> None:
    """Wait for every transaction that shares the lock, and let new ones wait until this transaction ends."""
    session.execute(text("select pg_advisory_xact_lock(:key)"), _LOCK)


def survivors_of(session: Session, lead_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The surviving lead of every merged lead of these persons, by merged lead."""
    rows = session.execute(_SURVIVORS, {"ids": list(lead_ids)})
    return {row.lead_id: row.survivor for row in rows}


def save_survivors(session: Session, survivors: Mapping[UUID, UUID]) -> None:
    """Save the surviving lead of each merged lead."""
    statement = insert(merged_leads)
    if survivors:
        session.execute(
            statement.on_conflict_do_update(
                index_elements=[merged_leads.c.lead_id],
                set_={"survivor": statement.excluded.survivor},
            ),
            [{"lead_id": it, "survivor": survivor} for it, survivor in survivors.items()],
        )


_SURVIVORS = text("""
    select others.lead_id, others.survivor
    from unnest(cast(:ids as uuid[])) as asked (id)
    left join routing.merged_leads as own on own.lead_id = asked.id
    join routing.merged_leads as others on others.survivor = coalesce(own.survivor, asked.id)
""")
