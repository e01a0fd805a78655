"""The reps who hold a lead's handoffs, or held them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from sqlalchemy import Uuid, any_, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from services.scoring.domain.holding import Access, Holding, access_of
from services.scoring.tables import holdings


def holdings_of(session: Session, handoff_ids: Collection[UUID]) -> list[Holding]:
    """All holdings of these handoffs, ended ones included."""
    statement = select(
        holdings.c.handoff_id, holdings.c.rep, holdings.c.lead_id, holdings.c.until
    ).where(holdings.c.handoff_id == any_(literal(list(handoff_ids), ARRAY(Uuid))))
    return list(map(Holding._make, session.execute(statement)))


def save_holdings(session: Session, changed: Iterable[Holding]) -> None:
    """Insert or update the holdings."""
    rows = [it._asdict() for it in sorted(changed, key=lambda it: (it.handoff_id, it.rep))]
    if not rows:
        return
    statement = insert(holdings).values(rows)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[holdings.c.handoff_id, holdings.c.rep],
            set_={"lead_id": statement.excluded.lead_id, "until": statement.excluded.until},
        )
    )


def find_access(session: Session, lead_id: UUID, rep: str) -> Access | None:
    """What the rep sees of the lead; None if the rep sees nothing."""
    statement = select(holdings.c.until).where(holdings.c.lead_id == lead_id, holdings.c.rep == rep)
    return access_of(session.scalars(statement).all())


def merge_holdings(session: Session, merges: Mapping[UUID, UUID]) -> None:
    """Move the holdings of merged leads (goes: stays) to the leads that stay.

    The ended holdings of both leads are deleted, since they would show events of the other lead.
    """
    statement = text(
        "with moves as materialized ("
        " select * from unnest(cast(:goes as uuid[]), cast(:stays as uuid[])) as move (goes, stays)),"
        " dropped as (delete from scoring.holdings where until is not null and lead_id in"
        " (select goes from moves union all select stays from moves))"
        " update scoring.holdings set lead_id = moves.stays from moves"
        " where lead_id = moves.goes and until is null"
    )
    session.execute(statement, {"goes": list(merges), "stays": list(merges.values())})
