"""Re-routes and their handoffs in PostgreSQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from services.routing.domain.reroutes import Move, MoveOutcome, Reroute, RerouteState
from services.routing.tables import rerouted_handoffs, reroutes
from shared.db.copying import copy_rows

_MUTABLE = ("state", "confirmed_at", "ended_at")
_moves = rerouted_handoffs.c
_MOVE_COLUMNS = [_moves[it] for it in Move._fields]


@dataclass(frozen=True, slots=True)
class Progress:
    """How many handoffs of a re-route ended how, how many are left, and who would get how many by the plan."""

    total: int
    outcomes: Counter[MoveOutcome]
    planned: Counter[str | None]

    @property
    def pending(self) -> int:
        """How many have no outcome yet."""
        return self.total - self.outcomes.total()


def add_reroute(session: Session, reroute: Reroute, moves: Sequence[Move]) -> None:
    """Add a re-route with its handoffs."""
    session.execute(insert(reroutes).values(asdict(reroute)))
    columns = ("reroute_id", *Move._fields)
    copy_rows(session, rerouted_handoffs, columns, [(reroute.id, *it) for it in moves])


def delete_plans(session: Session, rep: str) -> None:
    """Delete the re-routes of the rep that were planned and never confirmed."""
    statement = delete(reroutes).where(
        reroutes.c.rep == rep, reroutes.c.state == RerouteState.PLANNED
    )
    ids = session.scalars(statement.returning(reroutes.c.id)).all()
    session.execute(delete(rerouted_handoffs).where(_moves.reroute_id.in_(ids)))


def delete_reroutes_before(session: Session, instant: datetime, *, limit: int) -> int:
    """Delete up to `limit` re-routes that ended before the instant, or were planned and never confirmed.

    Returns how many; those that others have locked are left for the next time.
    """
    columns = reroutes.c
    old = (
        select(columns.id)
        .where(
            columns.planned_at < instant,
            func.coalesce(columns.ended_at, columns.planned_at) < instant,
            columns.state != RerouteState.RUNNING,
        )
        .order_by(columns.planned_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = session.scalars(old).all()
    session.execute(delete(rerouted_handoffs).where(_moves.reroute_id.in_(ids)))
    session.execute(delete(reroutes).where(columns.id.in_(ids)))
    return len(ids)


def find_reroute(session: Session, id: UUID) -> Reroute | None:
    """The re-route, or None."""
    return _first(session, _reroutes().where(reroutes.c.id == id))


def locked_reroute(session: Session, id: UUID) -> Reroute | None:
    """The re-route, locked until the transaction ends; a batch of it that is under way ends before."""
    return _first(session, _reroutes().where(reroutes.c.id == id).with_for_update())


def locked_of_rep(session: Session, rep: str) -> list[Reroute]:
    """The planned and the running re-routes of the rep, locked."""
    live = reroutes.c.state.in_([RerouteState.PLANNED, RerouteState.RUNNING])
    statement = _reroutes().where(reroutes.c.rep == rep, live).order_by(reroutes.c.id)
    return [_reroute(row) for row in session.execute(statement.with_for_update())]


def claim_running(session: Session) -> Reroute | None:
    """The running re-route that was confirmed first, locked; one that another worker has locked is skipped."""
    statement = (
        _reroutes()
        .where(reroutes.c.state == RerouteState.RUNNING)
        .order_by(reroutes.c.confirmed_at, reroutes.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return _first(session, statement)


def save_reroute(session: Session, reroute: Reroute) -> None:
    """Save how far the re-route is."""
    values = {it: getattr(reroute, it) for it in _MUTABLE}
    session.execute(update(reroutes).where(reroutes.c.id == reroute.id).values(values))


def pending_moves(session: Session, id: UUID, *, limit: int) -> list[Move]:
    """The next handoffs of the re-route, in their order."""
    statement = select(*_MOVE_COLUMNS).where(_moves.reroute_id == id, _moves.outcome.is_(None))
    return _read_moves(session, statement.order_by(_moves.position).limit(limit))


def moves_of(session: Session, id: UUID, *, after: int | None = None, limit: int) -> list[Move]:
    """The handoffs of the re-route, in their order, after a position."""
    statement = select(*_MOVE_COLUMNS).where(_moves.reroute_id == id)
    if after is not None:
        statement = statement.where(_moves.position > after)
    return _read_moves(session, statement.order_by(_moves.position).limit(limit))


def save_outcomes(session: Session, id: UUID, moves: Sequence[Move]) -> None:
    """Save what became of the handoffs."""
    if moves:
        session.connection().execute(
            update(rerouted_handoffs)
            .where(_moves.reroute_id == id, _moves.position == bindparam("at_position"))
            .values(outcome=bindparam("outcome"), rep=bindparam("rep")),
            [{"at_position": it.position, "outcome": it.outcome, "rep": it.rep} for it in moves],
        )


def progress_of(session: Session, id: UUID) -> Progress:
    """How far the re-route is."""
    statement = (
        select(_moves.planned_rep, _moves.outcome, func.count().label("moves"))
        .where(_moves.reroute_id == id)
        .group_by(_moves.planned_rep, _moves.outcome)
    )
    outcomes, planned = Counter[MoveOutcome](), Counter[str | None]()
    for row in session.execute(statement):
        planned[row.planned_rep] += row.moves
        if row.outcome is not None:
            outcomes[MoveOutcome(row.outcome)] += row.moves
    return Progress(planned.total(), outcomes, planned)


def _reroutes() -> Select[*tuple[Any, ...]]:
    return select(*(reroutes.c[it.name] for it in fields(Reroute)))


def _first(session: Session, statement: Select[*tuple[Any, ...]]) -> Reroute | None:
    row = session.execute(statement).one_or_none()
    return None if row is None else _reroute(row)


def _reroute(row: Row[*tuple[Any, ...]]) -> Reroute:
    return Reroute(**{**row._asdict(), "state": RerouteState(row.state)})


def _read_moves(session: Session, statement: Select[*tuple[Any, ...]]) -> list[Move]:
    return [
        Move(**{**row._asdict(), "outcome": row.outcome and MoveOutcome(row.outcome)})
        for row in session.execute(statement)
    ]
