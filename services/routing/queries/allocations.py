"""Rounds and the decisions that were made in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import Row, Uuid, any_, delete, exists, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from services.routing.domain.assignment.records import Allocation, Tally, differing, seated, tallied
from services.routing.domain.roster import Roster
from services.routing.queries.reps import MAX_READ, Rosters
from services.routing.tables import allocations, assignments
from shared.db.copying import copy_rows


class Assignment(NamedTuple):
    """A decision as it is kept: the row of `hops`, with the rep, or with nobody yet."""

    handoff_id: UUID
    hop: int
    rep: str | None
    period: str | None
    assigned_at: datetime | None
    allocation_id: int
    position: int
    strategy: str
    rule: str
    agreement_version: int
    previous_rep: str | None


_KEY = ("handoff_id", "hop")


class Whole(NamedTuple):
    """A bench that is kept as a whole, under the number of its round."""

    id: int
    roster_id: int
    tallies: dict[str, Tally]


_ADD = text("""
    insert into routing.allocations
        (team, decided_at, agreement_version, roster_id, base_id, rep_loads, picks)
    values (
        :team, :decided_at, :agreement_version, :roster_id, :base_id, cast(:rep_loads as json),
        cast(:picks as text[])
    )
    returning id
""")


class Allocations:
    """What rounds are made from, kept as what differs from the team's last whole bench, or as a new one.

    Whole benches are remembered, the last few: a round never changes. Many threads may ask.
    """

    def __init__(self, rosters: Rosters) -> None:
        self._rosters = rosters
        self._read: dict[int, Whole] = {}

    def add_allocation(self, session: Session, it: Allocation, roster: Roster) -> int:
        """Keep what the decisions of the round are made from; its number. Under the team's lock."""
        now, base = tallied(it.loads), self._newest(session, it.team)
        other = differing(now, base.tallies) if base and base.roster_id == roster.id else None
        loads = list(now.values()) if other is None else other
        values = {
            "team": it.team,
            "decided_at": it.decided_at,
            "agreement_version": it.agreement_version,
            "roster_id": roster.id,
            "base_id": base.id if base and other is not None else None,
            "rep_loads": orjson.dumps(loads).decode(),
            "picks": list(it.picks),
        }
        number: int = session.scalars(_ADD, values).one()
        if other is None:
            self._remember(Whole(number, roster.id, now))
        return number

    def allocation_of(self, session: Session, id: int) -> Allocation:
        """What a decision was made from: the round with this number."""
        row = session.execute(select(*allocations.c).where(allocations.c.id == id)).one()
        base = self._whole(session, row.base_id).tallies if row.base_id is not None else {}
        loads = seated(
            {**base, **_tallies(row.rep_loads)}, self._rosters.roster(session, row.roster_id)
        )
        return Allocation(row.team, row.decided_at, row.agreement_version, loads, row.picks)

    def _newest(self, session: Session, team: str) -> Whole | None:
        statement = select(allocations.c.id).where(
            allocations.c.team == team, allocations.c.base_id.is_(None)
        )
        id = session.scalar(statement.order_by(allocations.c.id.desc()).limit(1))
        return None if id is None else self._whole(session, id)

    def _whole(self, session: Session, id: int) -> Whole:
        known = self._read.get(id)
        if known is None:
            statement = select(allocations.c.roster_id, allocations.c.rep_loads).where(
                allocations.c.id == id
            )
            roster_id, loads = session.execute(statement).one()
            known = self._remember(Whole(id, roster_id, _tallies(loads)))
        return known

    def _remember(self, whole: Whole) -> Whole:
        if len(self._read) >= MAX_READ:
            self._read.clear()
        self._read[whole.id] = whole
        return whole


def _tallies(kept: Iterable[Any]) -> dict[str, Tally]:
    return {
        id: (id, open_, today, assigned, credit, last and datetime.fromisoformat(last), counted)
        for id, open_, today, assigned, credit, last, counted in kept
    }


def add_assignments(session: Session, new: Iterable[Assignment]) -> None:
    """Keep the first decision about each handoff."""
    copy_rows(session, assignments, Assignment._fields, new)


def save_assignments(session: Session, decided: Collection[Assignment]) -> None:
    """Keep a decision about each; that of one who waits is replaced, and its round goes if it explains no other."""
    asked = assignments.c.handoff_id == any_(
        literal([it.handoff_id for it in decided], ARRAY(Uuid))
    )
    waited = select(assignments.c.allocation_id).where(asked, assignments.c.rep.is_(None))
    left = set(session.scalars(waited.distinct()))
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
            allocations.c.id.in_(left),
            allocations.c.picks == [],
            allocations.c.base_id.is_not(None),
            ~explains,
        )
    )


def decisions_of(session: Session, id: UUID) -> list[Row[Any]]:
    """The handoff's decisions, in order: rows of `hops`."""
    statement = (
        select(*assignments.c).where(assignments.c.handoff_id == id).order_by(assignments.c.hop)
    )
    return list(session.execute(statement))
