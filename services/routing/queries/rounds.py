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

from services.routing.domain.desk import Crew
from services.routing.domain.rounds import Round, Tally, differing, seated, tallied
from services.routing.queries.roster import MAX_READ, Crews
from services.routing.tables import hops, rounds
from shared.db.copying import copy_rows


class Hop(NamedTuple):
    """A decision as it is kept: the row of `hops`, with the rep, or with nobody yet."""

    handoff_id: UUID
    hop: int
    rep: str | None
    period: str | None
    assigned_at: datetime | None
    round_id: int
    place: int
    by: str
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
    insert into routing.rounds
        (team, decided_at, agreement_version, roster_id, base_id, bench, picks)
    values (
        :team, :decided_at, :agreement_version, :roster_id, :base_id, cast(:bench as json),
        cast(:picks as text[])
    )
    returning id
""")


class Benches:
    """What rounds are made from, kept as what differs from the team's last whole bench, or as a new one.

    Whole benches are remembered, the last few: a round never changes. Many threads may ask.
    """

    def __init__(self, crews: Crews) -> None:
        self._crews = crews
        self._read: dict[int, Whole] = {}

    def add_round(self, session: Session, it: Round, crew: Crew) -> int:
        """Keep what the decisions of the round are made from; its number. Under the team's lock."""
        now, base = tallied(it.bench), self._newest(session, it.team)
        other = differing(now, base.tallies) if base and base.roster_id == crew.id else None
        bench = list(now.values()) if other is None else other
        values = {
            "team": it.team,
            "decided_at": it.decided_at,
            "agreement_version": it.agreement_version,
            "roster_id": crew.id,
            "base_id": base.id if base and other is not None else None,
            "bench": orjson.dumps(bench).decode(),
            "picks": list(it.picks),
        }
        number: int = session.scalars(_ADD, values).one()
        if other is None:
            self._remember(Whole(number, crew.id, now))
        return number

    def round_of(self, session: Session, id: int) -> Round:
        """What a decision was made from: the round with this number."""
        row = session.execute(select(*rounds.c).where(rounds.c.id == id)).one()
        base = self._whole(session, row.base_id).tallies if row.base_id is not None else {}
        bench = seated({**base, **_tallies(row.bench)}, self._crews.crew(session, row.roster_id))
        return Round(row.team, row.decided_at, row.agreement_version, bench, row.picks)

    def _newest(self, session: Session, team: str) -> Whole | None:
        statement = select(rounds.c.id).where(rounds.c.team == team, rounds.c.base_id.is_(None))
        id = session.scalar(statement.order_by(rounds.c.id.desc()).limit(1))
        return None if id is None else self._whole(session, id)

    def _whole(self, session: Session, id: int) -> Whole:
        known = self._read.get(id)
        if known is None:
            statement = select(rounds.c.roster_id, rounds.c.bench).where(rounds.c.id == id)
            roster_id, bench = session.execute(statement).one()
            known = self._remember(Whole(id, roster_id, _tallies(bench)))
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


def add_hops(session: Session, new: Iterable[Hop]) -> None:
    """Keep the first decision about each handoff."""
    copy_rows(session, hops, Hop._fields, new)


def save_hops(session: Session, decided: Collection[Hop]) -> None:
    """Keep a decision about each; that of one who waits is replaced, and its round goes if it explains no other."""
    asked = hops.c.handoff_id == any_(literal([it.handoff_id for it in decided], ARRAY(Uuid)))
    waited = select(hops.c.round_id).where(asked, hops.c.rep.is_(None))
    left = set(session.scalars(waited.distinct()))
    statement = insert(hops)
    session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=_KEY,
            set_={it: statement.excluded[it] for it in Hop._fields if it not in _KEY},
        ),
        [it._asdict() for it in decided],
    )
    explains = exists().where(hops.c.round_id == rounds.c.id, hops.c.rep.is_(None))
    session.execute(
        delete(rounds).where(
            rounds.c.id.in_(left), rounds.c.picks == [], rounds.c.base_id.is_not(None), ~explains
        )
    )


def decisions_of(session: Session, id: UUID) -> list[Row[Any]]:
    """The handoff's decisions, in order: rows of `hops`."""
    statement = select(*hops.c).where(hops.c.handoff_id == id).order_by(hops.c.hop)
    return list(session.execute(statement))
