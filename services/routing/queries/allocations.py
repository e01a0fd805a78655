"""Allocations and the assignments that were decided in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import Uuid, any_, delete, exists, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from services.routing.domain.assignment.allocation import Allocation
from services.routing.domain.queue import Assignment
from services.routing.domain.roster import RepLoad, Roster
from services.routing.queries.rosters import MAX_CACHED, Rosters
from services.routing.tables import allocations, assignments
from shared.db.copying import copy_rows

MIN_REPS_A_DIFFERENCE = 4
"""Rep loads are stored as a difference where at most one rep in so many differs from the base."""

StoredLoad = tuple[str, int, int, int, float, datetime | None, bool]
"""A rep's load as it is stored: the id of the rep, whom the roster has, and the other fields of `RepLoad`."""

_KEY = ("handoff_id", "hop")


class _Base(NamedTuple):
    """The team's rep loads of an allocation that stores all: others store their differences from these.

    Reps of other teams, such as owners of accounts, are left out, as each allocation has others.
    """

    id: int
    roster_id: int
    loads: dict[str, StoredLoad]


_ADD = text("""
    insert into routing.allocations
        (team, decided_at, agreement_version, roster_id, base_id, rep_loads, reps)
    values (
        :team, :decided_at, :agreement_version, :roster_id, :base_id, cast(:rep_loads as json),
        cast(:reps as text[])
    )
    returning id
""")


class Allocations:
    """Allocations. Each stores what differs from the rep loads of the team's newest base, or is a new base.

    The last few bases are cached, as an allocation never changes. Safe for many threads.
    """

    def __init__(self, rosters: Rosters) -> None:
        self._rosters = rosters
        self._cache: dict[int, _Base] = {}

    def add_allocation(self, session: Session, allocation: Allocation, roster: Roster) -> int:
        """Insert the allocation and return its id. The caller holds the team's lock."""
        loads = stored_loads(allocation.loads)
        base = self._newest_base(session, allocation.team)
        difference = None
        if base is not None and base.roster_id == roster.id:
            difference = difference_of(loads, base.loads)
        arguments = {
            "team": allocation.team,
            "decided_at": allocation.decided_at,
            "agreement_version": allocation.agreement_version,
            "roster_id": roster.id,
            "base_id": base.id if base and difference is not None else None,
            "rep_loads": orjson.dumps(
                list(loads.values()) if difference is None else difference
            ).decode(),
            "reps": list(allocation.reps),
        }
        id: int = session.scalars(_ADD, arguments).one()
        if difference is None:
            self._add_to_cache(_base_of(id, loads, allocation.team, roster))
        return id

    def allocation(self, session: Session, id: int) -> Allocation:
        """The allocation with this id."""
        row = session.execute(select(*allocations.c).where(allocations.c.id == id)).one()
        base = self._base(session, row.base_id).loads if row.base_id is not None else {}
        loads = rep_loads_of(
            {**base, **_loads_of_json(row.rep_loads)},
            self._rosters.roster(session, row.roster_id),
        )
        return Allocation(row.team, row.decided_at, row.agreement_version, loads, row.reps)

    def _newest_base(self, session: Session, team: str) -> _Base | None:
        statement = select(allocations.c.id).where(
            allocations.c.team == team, allocations.c.base_id.is_(None)
        )
        id = session.scalar(statement.order_by(allocations.c.id.desc()).limit(1))
        return None if id is None else self._base(session, id)

    def _base(self, session: Session, id: int) -> _Base:
        base = self._cache.get(id)
        if base is None:
            columns = (allocations.c.team, allocations.c.roster_id, allocations.c.rep_loads)
            row = session.execute(select(*columns).where(allocations.c.id == id)).one()
            roster = self._rosters.roster(session, row.roster_id)
            base = _base_of(id, _loads_of_json(row.rep_loads), row.team, roster)
            self._add_to_cache(base)
        return base

    def _add_to_cache(self, base: _Base) -> None:
        if len(self._cache) >= MAX_CACHED:
            self._cache.clear()
        self._cache[base.id] = base


def _base_of(id: int, loads: Mapping[str, StoredLoad], team: str, roster: Roster) -> _Base:
    of_team = {rep: it for rep, it in loads.items() if roster.reps[rep].team == team}
    return _Base(id, roster.id, of_team)


def stored_loads(loads: Sequence[RepLoad]) -> dict[str, StoredLoad]:
    """The loads as they are stored, by rep."""
    return {
        it.rep.id: (
            it.rep.id, it.open, it.today, it.assigned, it.credit, it.last_assigned_at, it.counted
        )
        for it in loads
    }  # fmt: skip


def rep_loads_of(stored: Mapping[str, StoredLoad], roster: Roster) -> list[RepLoad]:
    """The loads from their stored form."""
    return [
        RepLoad(roster.reps[rep], open_, today, assigned, credit, last_assigned_at, counted)
        for rep, open_, today, assigned, credit, last_assigned_at, counted in stored.values()
    ]


def difference_of(
    loads: Mapping[str, StoredLoad], base: Mapping[str, StoredLoad]
) -> list[StoredLoad] | None:
    """The loads that differ from the base; None where they are too many, or the base has other reps."""
    if not base.keys() <= loads.keys():
        return None
    different = [it for rep, it in loads.items() if base.get(rep) != it]
    return different if len(different) * MIN_REPS_A_DIFFERENCE <= len(loads) else None


def _loads_of_json(loads: Iterable[Any]) -> dict[str, StoredLoad]:
    return {
        rep: (rep, open_, today, assigned, credit, at and datetime.fromisoformat(at), counted)
        for rep, open_, today, assigned, credit, at, counted in loads
    }


def add_assignments(session: Session, new: Collection[Assignment]) -> None:
    """Insert the first decision about each handoff."""
    if new:
        copy_rows(session, assignments, Assignment._fields, new)


def save_assignments(session: Session, decided: Collection[Assignment]) -> None:
    """Save a decision about each handoff, in place of the one by which the handoff waited.

    An allocation that explains no decision any more is deleted.
    """
    if not decided:
        return
    of_decided = assignments.c.handoff_id == any_(
        literal([it.handoff_id for it in decided], ARRAY(Uuid))
    )
    replaced = select(assignments.c.allocation_id).where(of_decided, assignments.c.rep.is_(None))
    replaced_ids = set(session.scalars(replaced.distinct()))
    statement = insert(assignments)
    session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=_KEY,
            set_={it: statement.excluded[it] for it in Assignment._fields if it not in _KEY},
        ),
        [it._asdict() for it in decided],
    )
    explains = exists().where(
        assignments.c.allocation_id == allocations.c.id, assignments.c.rep.is_(None)
    )
    session.execute(
        delete(allocations).where(
            allocations.c.id.in_(replaced_ids),
            allocations.c.reps == [],
            allocations.c.base_id.is_not(None),
            ~explains,
        )
    )


def assignments_of(session: Session, handoff_id: UUID) -> list[Assignment]:
    """The handoff's decisions, in order."""
    statement = select(*(assignments.c[it] for it in Assignment._fields))
    statement = statement.where(assignments.c.handoff_id == handoff_id)
    return [Assignment(*row) for row in session.execute(statement.order_by(assignments.c.hop))]


def earlier_reps(session: Session, ids: Collection[UUID]) -> dict[UUID, frozenset[str]]:
    """Every rep who had each handoff, by handoff."""
    statement = (
        select(assignments.c.handoff_id, func.array_agg(assignments.c.rep))
        .where(assignments.c.handoff_id.in_(ids), assignments.c.rep.is_not(None))
        .group_by(assignments.c.handoff_id)
    )
    return {id: frozenset(reps) for id, reps in session.execute(statement)}
