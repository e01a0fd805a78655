"""What teams can take, as it was announced last, and what it follows from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.routing.domain.capacity import CapacityPlan, DayCapacity
from services.routing.tables import capacity_plans, rosters
from shared.db.locks import AdvisoryLock
from shared.db.tables import agreements


class CapacityBasis(NamedTuple):
    """What plans follow from: the newest roster, the newest version of the agreement, and the first date."""

    roster_id: int
    agreement_version: int
    first: date


def find_basis(session: Session, first: date) -> CapacityBasis | None:
    """What plans from this date on follow from now; None without a roster or an agreement."""
    newest_roster = select(func.max(rosters.c.id)).scalar_subquery()
    newest_version = select(func.max(agreements.c.version)).scalar_subquery()
    roster_id, version = session.execute(select(newest_roster, newest_version)).one()
    if roster_id is None or version is None:
        return None
    return CapacityBasis(roster_id, version, first)


def lock_plans(session: Session) -> None:
    """Let no other transaction make plans until this one ends."""
    session.execute(select(func.pg_advisory_xact_lock(AdvisoryLock.CAPACITY.value)))


def plans_by_team(session: Session) -> dict[str, CapacityPlan]:
    """The last plan of each team."""
    plans = capacity_plans.c
    rows = session.execute(select(plans.team, plans.number, plans.days))
    return {row.team: CapacityPlan(row.team, row.number, _days(row.days)) for row in rows}


def _days(stored: Sequence[tuple[str, int, int, int]]) -> tuple[DayCapacity, ...]:
    return tuple(DayCapacity(date.fromisoformat(on), *numbers) for on, *numbers in stored)


def save_plans(session: Session, plans: Sequence[CapacityPlan]) -> None:
    """Save the plans in place of the former ones of their teams."""
    statement = insert(capacity_plans)
    added = statement.excluded
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["team"], set_={"number": added.number, "days": added.days}
        ),
        [
            {
                "team": plan.team,
                "number": plan.number,
                "days": [(str(it.on), it.reps, it.leads, it.unlimited) for it in plan.days],
            }
            for plan in plans
        ],
    )
