"""Handoffs in PostgreSQL. The order in which they and teams are locked is in docs/development.md."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Row,
    Select,
    Text,
    Uuid,
    any_,
    bindparam,
    func,
    literal,
    literal_column,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from services.routing.domain.handoff import Handoff, State
from services.routing.tables import HELD, handoffs
from shared.contracts.topics import LEADS_QUALIFIED
from shared.db.copying import copying_rows

_MUTABLE = (
    "state",
    "team",
    "rule",
    "rep",
    "calendar",
    "hop",
    "sequence",
    "tier",
    "tier_rank",
    "agreement_version",
    "assigned_at",
    "closed_at",
    "merged_into",
    "paused_until",
    "pause_reason",
    "pooled",
)
_ALL = tuple(handoffs.c.keys())
_row = attrgetter(*("lead_json" if it == "lead" else it for it in _ALL))


@contextmanager
def adding_handoffs(session: Session, new: Sequence[Handoff]) -> Iterator[None]:
    """Insert the handoffs. It fails for one that exists or whose lead has a live one: check `known_leads` before.

    The block runs while PostgreSQL inserts them, and may not use the session.
    """
    with copying_rows(session, handoffs, _ALL, map(_row, new)):
        yield


def save_handoffs(session: Session, changed: Sequence[Handoff]) -> None:
    """Save the fields of the handoffs that steps can change."""
    if changed:
        values: dict[str, Any] = {name: bindparam(name) for name in _MUTABLE}
        session.connection().execute(
            update(handoffs).where(handoffs.c.id == bindparam("at_id")).values(values),
            [{"at_id": it.id, **{name: getattr(it, name) for name in _MUTABLE}} for it in changed],
        )


def find_handoff(session: Session, id: UUID) -> Handoff | None:
    """The handoff, or None."""
    row = session.execute(_handoffs().where(handoffs.c.id == id)).one_or_none()
    return None if row is None else _handoff(row)


def handoffs_by_id(session: Session, ids: Collection[UUID]) -> dict[UUID, Handoff]:
    """The handoffs by id; those that do not exist are left out."""
    statement = _handoffs().where(handoffs.c.id == any_(literal(list(ids), ARRAY(Uuid))))
    return {row.id: _handoff(row) for row in session.execute(statement)}


def locked_handoff(session: Session, id: UUID) -> Handoff | None:
    """The handoff, locked until the transaction ends, so that two answers follow one another."""
    statement = _handoffs().where(handoffs.c.id == id).with_for_update()
    row = session.execute(statement).one_or_none()
    return None if row is None else _handoff(row)


def claim_held(session: Session, ids: Collection[UUID]) -> dict[UUID, Handoff]:
    """Those of the handoffs that reps hold, locked; those that other transactions have locked are left out.

    Waiting for them could make a deadlock: PostgreSQL also keeps the lock of one that waits for a rep by the time that
    its lock is free, and whoever assigns the waiting handoffs of its team would wait for that.
    """
    statement = (
        _handoffs()
        .where(handoffs.c.id == any_(literal(list(ids), ARRAY(Uuid))), handoffs.c.state.in_(HELD))
        .order_by(handoffs.c.id)
        .with_for_update(skip_locked=True)
    )
    return {row.id: _handoff(row) for row in session.execute(statement)}


def held_among(session: Session, ids: Collection[UUID]) -> set[UUID]:
    """Those of the handoffs that reps hold; not locked."""
    if not ids:
        return set()
    statement = select(handoffs.c.id).where(
        handoffs.c.id == any_(literal(list(ids), ARRAY(Uuid))), handoffs.c.state.in_(HELD)
    )
    return set(session.scalars(statement))


def held_of(session: Session, rep: str, *, limit: int) -> list[Handoff]:
    """Handoffs that the rep holds, the hottest first, then the oldest; not locked."""
    statement = (
        _handoffs()
        .where(handoffs.c.rep == rep, handoffs.c.state.in_(HELD))
        .order_by(handoffs.c.tier_rank, handoffs.c.qualified_at, handoffs.c.id)
        .limit(limit)
    )
    return [_handoff(row) for row in session.execute(statement)]


def locked_waiting(session: Session, ids: Collection[UUID]) -> list[Handoff]:
    """Those of the handoffs that wait, locked."""
    if not ids:
        return []
    statement = (
        _handoffs()
        .where(handoffs.c.id.in_(ids), handoffs.c.state == State.WAITING)
        .order_by(handoffs.c.id)
        .with_for_update()
    )
    return [_handoff(row) for row in session.execute(statement)]


def waiting_of(session: Session, team: str, *, after: Handoff | None, limit: int) -> list[Handoff]:
    """The team's waiting handoffs, locked: the hottest first, then the oldest, after this one.

    Those in the pool are left out, and those that wait for an owner who is still full: they may be many, and nothing
    has changed for them. An import, or a newer agreement, lets them be decided anew.

    The state is part of the statement, so that the index of waiting handoffs can be used.
    """
    turn = tuple_(handoffs.c.tier_rank, handoffs.c.qualified_at, handoffs.c.id)
    statement = (
        _handoffs()
        .where(
            handoffs.c.team == team,
            handoffs.c.state == literal_column("'waiting'"),
            ~handoffs.c.pooled,
            _HAS_NO_FULL_OWNER,
        )
        .order_by(handoffs.c.tier_rank, handoffs.c.qualified_at, handoffs.c.id)
        .limit(limit)
        .with_for_update()
    )
    if after is not None:
        statement = statement.where(turn > (after.tier_rank, after.qualified_at, after.id))
    return [_handoff(row) for row in session.execute(statement)]


_HAS_NO_FULL_OWNER = text("""
    (
        select reps.id from routing.assignments
        join routing.allocations on allocations.id = assignments.allocation_id
        join routing.reps on reps.id = assignments.owner
        where assignments.handoff_id = handoffs.id and assignments.hop = handoffs.hop + 1
            and assignments.rep is null and assignments.strategy = 'owner'
            and assignments.agreement_version = handoffs.agreement_version
            and allocations.roster_id = (select max(rosters.id) from routing.rosters)
            and reps.active and reps.team = handoffs.team and reps.open >= reps.open_limit
    ) is null
""")
"""The decision by which the handoff waits names an owner of this team who is full, and is of the roster in force."""


def teams_of(session: Session, ids: Collection[UUID]) -> set[str]:
    """The teams that the handoffs are with."""
    if not ids:
        return set()
    return set(session.scalars(select(handoffs.c.team).where(handoffs.c.id.in_(ids))))


def waiting_under_older(session: Session, version: int, *, limit: int) -> list[Handoff]:
    """Waiting handoffs whose rule is of an older agreement."""
    statement = (
        _handoffs()
        .where(handoffs.c.state == State.WAITING, handoffs.c.agreement_version < version)
        .order_by(handoffs.c.id)
        .limit(limit)
    )
    return [_handoff(row) for row in session.execute(statement)]


def oldest_waiting_version(session: Session) -> int | None:
    """The oldest version of the agreement that a waiting handoff is under; None where none waits."""
    oldest = select(handoffs.c.agreement_version).where(handoffs.c.state == State.WAITING)
    return session.scalar(oldest.order_by(handoffs.c.agreement_version).limit(1))


def save_rulings(session: Session, moved: Sequence[Handoff]) -> None:
    """Save the team and the rule of waiting handoffs. No step is recorded."""
    names = ("team", "rule", "tier_rank", "agreement_version")
    if moved:
        session.connection().execute(
            update(handoffs)
            .where(handoffs.c.id == bindparam("at_id"))
            .values({name: bindparam(name) for name in names}),
            [{"at_id": it.id, **{name: getattr(it, name) for name in names}} for it in moved],
        )


def locked_live(session: Session, lead_ids: Collection[UUID]) -> list[Handoff]:
    """The live handoffs of the leads, locked; the caller has the lock of merges, so that no answer waits for these."""
    live = handoffs.c.state.in_((State.WAITING, *HELD))
    statement = (
        _handoffs()
        .where(handoffs.c.lead_id == any_(literal(list(lead_ids), ARRAY(Uuid))), live)
        .order_by(handoffs.c.id)
        .with_for_update()
    )
    return [_handoff(row) for row in session.execute(statement)]


def handoffs_of(session: Session, statement: Select[*tuple[Any, ...]]) -> list[Handoff]:
    """The handoffs that a statement on all columns of the table selects."""
    return [_handoff(row) for row in session.execute(statement)]


def held_by(session: Session, reps: Iterable[str]) -> dict[str, int]:
    """How many handoffs each rep holds now."""
    statement = (
        select(handoffs.c.rep, func.count())
        .where(
            handoffs.c.rep == any_(literal(list(reps), ARRAY(Text))),
            handoffs.c.state.in_(HELD),
        )
        .group_by(handoffs.c.rep)
    )
    return {str(rep): count for rep, count in session.execute(statement)}


def _handoffs() -> Select[*tuple[Any, ...]]:
    return select(*handoffs.c)


def _handoff(row: Row[Any]) -> Handoff:
    values = row._asdict()
    values["state"] = State(row.state)
    values["lead"] = LEADS_QUALIFIED.codec.convert(row.lead)
    return Handoff(**values)
