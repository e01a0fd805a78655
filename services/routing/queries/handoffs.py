"""Handoffs, their steps and their decisions, in and out of the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Session

from services.routing.domain.answers import Past
from services.routing.domain.handoff import Handoff, State, Step
from services.routing.tables import HELD, LIVE, changes, handoffs, hops
from shared.contracts.payloads import Change, LeadQualified

_MOVING = (
    "state",
    "team",
    "rule",
    "rep",
    "calendar",
    "hop",
    "sequence",
    "tier",
    "heat",
    "agreement_version",
    "assigned_at",
    "closed_at",
)
_DETAILS = ("reason", "recycle", "outcome", "channel", "amount", "currency")


def add_handoffs(session: Session, new: Sequence[Handoff]) -> set[UUID]:
    """Add what is not there yet; which ones were new and found their lead free."""
    if not new:
        return set()
    statement = insert(handoffs).values([_row(it) for it in new])
    added = statement.on_conflict_do_nothing().returning(handoffs.c.id)
    return set(session.scalars(added))


def save_steps(session: Session, steps: Sequence[Step]) -> None:
    """Keep every step, and each handoff as the last one left it."""
    if not steps:
        return
    last = {it.handoff.id: it.handoff for it in steps}
    rows = [
        {"at_id": it.id, **{name: getattr(it, name) for name in _MOVING}} for it in last.values()
    ]
    values: dict[str, Any] = {name: bindparam(name) for name in _MOVING}
    session.connection().execute(
        update(handoffs).where(handoffs.c.id == bindparam("at_id")).values(values), rows
    )
    session.execute(insert(changes), [_change(it) for it in steps])


def find_handoff(session: Session, id: UUID) -> Handoff | None:
    """The handoff as it is now."""
    row = session.execute(_handoffs().where(handoffs.c.id == id)).one_or_none()
    return None if row is None else _handoff(row)


def locked_handoff(session: Session, id: UUID) -> Handoff | None:
    """The handoff, locked until the transaction ends, so that two answers follow one another."""
    statement = _handoffs().where(handoffs.c.id == id).with_for_update()
    row = session.execute(statement).one_or_none()
    return None if row is None else _handoff(row)


def known_handoffs(session: Session, ids: Collection[UUID]) -> set[UUID]:
    """Those of the handoffs that exist."""
    return set(session.scalars(select(handoffs.c.id).where(handoffs.c.id.in_(ids))))


def live_handoffs(session: Session, lead_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The live handoff of each lead that has one."""
    statement = select(handoffs.c.lead_id, handoffs.c.id).where(
        handoffs.c.lead_id.in_(lead_ids), handoffs.c.state.in_(LIVE)
    )
    return {row.lead_id: row.id for row in session.execute(statement)}


def locked_waiting(session: Session, ids: Collection[UUID]) -> list[Handoff]:
    """Those of the handoffs that wait for somebody, locked."""
    statement = (
        _handoffs()
        .where(handoffs.c.id.in_(ids), handoffs.c.state == State.WAITING)
        .order_by(handoffs.c.id)
        .with_for_update()
    )
    return [_handoff(row) for row in session.execute(statement)]


def waiting_of(
    session: Session, team: str, *, only: Collection[UUID] | None = None
) -> list[Handoff]:
    """The team's waiting handoffs, or those of them that are named: hottest first, then oldest; locked."""
    statement = (
        _handoffs()
        .where(handoffs.c.team == team, handoffs.c.state == State.WAITING)
        .order_by(handoffs.c.heat, handoffs.c.qualified_at, handoffs.c.id)
        .with_for_update()
    )
    if only is not None:
        statement = statement.where(handoffs.c.id.in_(only))
    return [_handoff(row) for row in session.execute(statement)]


def teams_of(session: Session, ids: Collection[UUID]) -> set[str]:
    """The teams that the handoffs are with."""
    return set(session.scalars(select(handoffs.c.team).where(handoffs.c.id.in_(ids))))


def waiting_under_older(session: Session, version: int, *, most: int) -> list[Handoff]:
    """Waiting handoffs whose rule is of an older agreement."""
    statement = (
        _handoffs()
        .where(handoffs.c.state == State.WAITING, handoffs.c.agreement_version < version)
        .order_by(handoffs.c.id)
        .limit(most)
    )
    return [_handoff(row) for row in session.execute(statement)]


def oldest_waiting_version(session: Session) -> int | None:
    """The oldest agreement that a waiting handoff is under; None where nobody waits."""
    oldest = select(handoffs.c.agreement_version).where(handoffs.c.state == State.WAITING)
    return session.scalar(oldest.order_by(handoffs.c.agreement_version).limit(1))


def save_rulings(session: Session, moved: Sequence[Handoff]) -> None:
    """Keep which team waiting handoffs are with now, and under which rule; it is no step in their lives."""
    names = ("team", "rule", "heat", "agreement_version")
    if moved:
        session.connection().execute(
            update(handoffs)
            .where(handoffs.c.id == bindparam("at_id"))
            .values({name: bindparam(name) for name in names}),
            [{"at_id": it.id, **{name: getattr(it, name) for name in names}} for it in moved],
        )


def previous_holders(session: Session, lead_ids: Collection[UUID]) -> dict[UUID, str]:
    """Who held each lead's last handoff that is closed."""
    statement = (
        select(handoffs.c.lead_id, handoffs.c.rep)
        .ext(distinct_on(handoffs.c.lead_id))
        .where(
            handoffs.c.lead_id.in_(lead_ids),
            handoffs.c.rep.is_not(None),
            handoffs.c.closed_at.is_not(None),
        )
        .order_by(handoffs.c.lead_id, handoffs.c.qualification.desc())
    )
    return {lead_id: str(rep) for lead_id, rep in session.execute(statement)}


def holders_of(session: Session, ids: Collection[UUID]) -> dict[UUID, frozenset[str]]:
    """Every rep who ever had each handoff."""
    statement = (
        select(hops.c.handoff_id, func.array_agg(hops.c.rep))
        .where(hops.c.handoff_id.in_(ids), hops.c.rep.is_not(None))
        .group_by(hops.c.handoff_id)
    )
    return {id: frozenset(reps) for id, reps in session.execute(statement)}


def save_decisions(session: Session, decided: Sequence[dict[str, Any]]) -> None:
    """Keep each hop's decision: handoff_id, hop, rep, period, assigned_at, decision. One who waits has it replaced."""
    statement = insert(hops)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[hops.c.handoff_id, hops.c.hop],
            set_={
                name: statement.excluded[name]
                for name in ("rep", "period", "assigned_at", "decision")
            },
        ),
        decided,
    )


def decisions_of(session: Session, id: UUID) -> list[Row[Any]]:
    """The handoff's decisions: hop, rep, assigned_at, decision."""
    statement = (
        select(hops.c.hop, hops.c.rep, hops.c.assigned_at, hops.c.decision)
        .where(hops.c.handoff_id == id)
        .order_by(hops.c.hop)
    )
    return list(session.execute(statement))


def past_of(session: Session, id: UUID) -> list[Past]:
    """The handoff's life so far."""
    columns = (changes.c.change, changes.c.occurred_at, changes.c.actor, changes.c.said)
    statement = select(*columns).where(changes.c.handoff_id == id).order_by(changes.c.sequence)
    return [
        Past(
            change=Change(row.change),
            occurred_at=row.occurred_at,
            actor=row.actor,
            hop=row.said["hop"],
            rep=row.said.get("rep"),
            details={it: row.said[it] for it in _DETAILS if _told(row.said.get(it))},
        )
        for row in session.execute(statement)
    ]


def list_handoffs(
    session: Session,
    *,
    state: State | None,
    rep: str | None,
    lead: UUID | None,
    before: tuple[datetime, UUID] | None,
    most: int,
) -> list[Handoff]:
    """Handoffs, newest first, from a position on."""
    statement = _handoffs().order_by(handoffs.c.qualified_at.desc(), handoffs.c.id.desc())
    if state is not None:
        statement = statement.where(handoffs.c.state == state)
    if rep is not None:
        statement = statement.where(handoffs.c.rep == rep)
    if lead is not None:
        statement = statement.where(handoffs.c.lead_id == lead)
    if before is not None:
        statement = statement.where(tuple_(handoffs.c.qualified_at, handoffs.c.id) < before)
    return [_handoff(row) for row in session.execute(statement.limit(most))]


def count_by_state(session: Session) -> dict[State, int]:
    """How many handoffs are in each state: all of them together are all that ever qualified."""
    statement = select(handoffs.c.state, func.count()).group_by(handoffs.c.state)
    return {State(state): count for state, count in session.execute(statement)}


def held_by(session: Session, reps: Iterable[str]) -> dict[str, int]:
    """How many handoffs each rep holds now."""
    statement = (
        select(handoffs.c.rep, func.count())
        .where(handoffs.c.rep.in_(list(reps)), handoffs.c.state.in_(HELD))
        .group_by(handoffs.c.rep)
    )
    return {str(rep): count for rep, count in session.execute(statement)}


def _told(value: object) -> bool:
    return value is not None and value is not False


def _handoffs() -> Select[*tuple[Any, ...]]:
    return select(*handoffs.c)


def _handoff(row: Row[Any]) -> Handoff:
    values = row._asdict()
    values["state"] = State(row.state)
    values["lead"] = LeadQualified.model_validate(row.lead)
    return Handoff(**values)


def _row(it: Handoff) -> dict[str, Any]:
    values = {name: getattr(it, name) for name in handoffs.c.keys()}  # noqa: SIM118 - columns
    values["lead"] = it.lead.model_dump(mode="json", exclude_none=True)
    return values


def _change(it: Step) -> dict[str, Any]:
    return {
        "handoff_id": it.handoff.id,
        "sequence": it.handoff.sequence,
        "change": it.change,
        "occurred_at": it.occurred_at,
        "recorded_at": it.recorded_at,
        "actor": it.actor,
        "said": it.announcement().model_dump(mode="json", exclude_none=True),
    }
