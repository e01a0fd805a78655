"""Rounds and the decisions that were made in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from pydantic import TypeAdapter
from sqlalchemy import Row, Text, literal, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Session

from services.routing.domain.desk import Standing
from services.routing.domain.rounds import Round
from services.routing.tables import hops, rounds
from shared.db.copying import copy_rows

_BENCH = TypeAdapter(list[Standing])
_DECIDED = ("rep", "period", "assigned_at", "round_id", "decision")


class Hop(NamedTuple):
    """A decision as it is kept: the row of `hops`, with the rep, or with nobody yet."""

    handoff_id: UUID
    hop: int
    rep: str | None
    period: str | None
    assigned_at: datetime | None
    round_id: int
    decision: bytes
    """JSON."""


def add_round(session: Session, it: Round) -> int:
    """Keep what the decisions of the round are made from; its number."""
    values = {
        "team": it.team,
        "decided_at": it.decided_at,
        "agreement_version": it.agreement_version,
        "bench": literal(orjson.dumps(it.bench).decode(), Text).cast(JSONB),
        "picks": list(it.picks),
    }
    number: int = session.scalars(insert(rounds).values(values).returning(rounds.c.id)).one()
    return number


def add_hops(session: Session, new: Iterable[Hop]) -> None:
    """Keep the first decision about each handoff."""
    copy_rows(session, hops, Hop._fields, new)


def save_hops(session: Session, decided: Iterable[Hop]) -> None:
    """Keep a decision about each; that of one who waits is replaced."""
    statement = insert(hops)
    session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=[hops.c.handoff_id, hops.c.hop],
            set_={name: statement.excluded[name] for name in _DECIDED},
        ),
        [{**it._asdict(), "decision": orjson.loads(it.decision)} for it in decided],
    )


def decisions_of(session: Session, id: UUID) -> list[Row[Any]]:
    """The handoff's decisions, in order: hop, rep, round_id, decision."""
    statement = (
        select(hops.c.hop, hops.c.rep, hops.c.round_id, hops.c.decision)
        .where(hops.c.handoff_id == id)
        .order_by(hops.c.hop)
    )
    return list(session.execute(statement))


def round_of(session: Session, id: int) -> Round:
    """What a decision was made from: the round with this number."""
    asked = select(*(rounds.c[it.name] for it in fields(Round))).where(rounds.c.id == id)
    row = session.execute(asked).one()
    return Round(**{**row._asdict(), "bench": _BENCH.validate_python(row.bench)})
