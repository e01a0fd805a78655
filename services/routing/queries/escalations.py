"""Steps of ladders that take handoffs from reps, and the promises that reps broke."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.orm import Session

from services.routing.domain.escalations import (
    Action,
    Escalation,
    KeptWhileAway,
    StepOutcome,
    Terms,
)
from services.routing.tables import broken_promises, escalations, handoffs
from shared.contracts.payloads import SlaChanged
from shared.contracts.topics import SLA_CHANGED

MAX_SHOWN = 100
"""So many steps of a handoff are shown, the last."""


def add_escalations(session: Session, new: Sequence[Escalation]) -> None:
    """Insert steps that are to be carried out; those that are there already are left out."""
    rows = [
        {
            "id": it.id,
            "handoff_id": it.handoff_id,
            "hop": it.hop,
            "rep": it.rep,
            "step": it.step,
            "policy": it.policy,
            "due_at": it.due_at,
            "clock": None if it.clock is None else msgspec.to_builtins(it.clock),
        }
        for it in new
    ]
    if rows:
        session.execute(insert(escalations).on_conflict_do_nothing(), rows)


def claim_pending(session: Session, *, limit: int) -> list[Escalation]:
    """Steps that are to be carried out, those that were due first, locked; others' are left out."""
    statement = (
        _escalations()
        .where(escalations.c.outcome.is_(None))
        .order_by(escalations.c.due_at, escalations.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [_escalation(row) for row in session.execute(statement)]


def save_outcomes(session: Session, outcomes: Mapping[str, StepOutcome], *, now: datetime) -> None:
    """Save what came of steps, by their ids."""
    if outcomes:
        session.connection().execute(
            update(escalations)
            .where(escalations.c.id == bindparam("at_id"))
            .values(outcome=bindparam("outcome"), done_at=now),
            [{"at_id": id, "outcome": it} for id, it in outcomes.items()],
        )


def escalations_of(session: Session, handoff_id: UUID) -> list[Escalation]:
    """The steps about the handoff by hop in the order in which they were due, the last ones of many."""
    statement = (
        _escalations()
        .where(escalations.c.handoff_id == handoff_id)
        .order_by(escalations.c.hop.desc(), escalations.c.due_at.desc(), escalations.c.id.desc())
        .limit(MAX_SHOWN)
    )
    return [_escalation(row) for row in reversed(session.execute(statement).all())]


def hops_taken(session: Session, handoff_ids: Collection[UUID]) -> set[tuple[UUID, int]]:
    """The hops of these handoffs that steps of ladders ended."""
    outcomes = (StepOutcome.REASSIGNED, StepOutcome.WAITING, StepOutcome.RETURNED_TO_POOL)
    statement = select(escalations.c.handoff_id, escalations.c.hop).where(
        escalations.c.handoff_id == any_(literal(list(handoff_ids), ARRAY(Uuid))),
        escalations.c.outcome.in_(outcomes),
    )
    return {(row.handoff_id, row.hop) for row in session.execute(statement)}


def add_broken_promises(session: Session, broken: Sequence[SlaChanged]) -> None:
    """Insert the promises that reps broke."""
    rows = [{"clock_id": it.clock_id, "handoff_id": it.handoff_id, "rep": it.rep} for it in broken]
    if rows:
        session.execute(insert(broken_promises).on_conflict_do_nothing(), rows)


def delete_broken_promises(session: Session, clock_ids: Collection[UUID]) -> None:
    """Delete those that turned out to be kept."""
    if clock_ids:
        wanted_ids = any_(literal(list(clock_ids), ARRAY(Uuid)))
        session.execute(delete(broken_promises).where(broken_promises.c.clock_id == wanted_ids))


def terms_while_away(session: Session, *, now: datetime) -> list[Terms]:
    """The terms of handoffs that reps on time off have not accepted."""
    rows = session.execute(select(*_TERMS).where(_KEPT_WHILE_AWAY.bindparams(now=now)).distinct())
    return list(map(_terms, rows))


def kept_while_away(
    session: Session, max_hops: Mapping[Terms, int], *, now: datetime, limit: int
) -> list[KeptWhileAway]:
    """Handoffs of these terms that reps on time off have not accepted, and that no step has taken up for that.

    Those that have had as many reps as `max_hops` says are left out.
    """
    below_limits = [
        and_(
            *(column == value for column, value in zip(_TERMS, terms, strict=True)),
            handoffs.c.hop < most,
        )
        for terms, most in max_hops.items()
    ]
    is_taken_up = exists().where(
        escalations.c.handoff_id == handoffs.c.id,
        escalations.c.hop == handoffs.c.hop,
        escalations.c.clock.is_(None),
    )
    statement = (
        select(handoffs.c.id, handoffs.c.hop, handoffs.c.rep, *_TERMS)
        .where(_KEPT_WHILE_AWAY.bindparams(now=now), or_(*below_limits), ~is_taken_up)
        .order_by(handoffs.c.id)
        .limit(limit)
    )
    return [
        KeptWhileAway(row.id, row.hop, row.rep, _terms(row)) for row in session.execute(statement)
    ]


def _terms(row: Row[Any]) -> Terms:
    return Terms(
        row.agreement_version, row.tier, row.team, tuple(row.sources), row.campaign, row.persona
    )


def _campaign_name(which: str) -> tuple[ColumnElement[str | None], ...]:
    """The names under which senders write a campaign, as `campaign_name` reads them."""
    campaign = handoffs.c.lead["context"][which]
    return tuple(func.nullif(campaign[it].astext, "") for it in ("name", "campaign"))


_TERMS = (
    handoffs.c.agreement_version,
    handoffs.c.tier,
    handoffs.c.team,
    func.coalesce(handoffs.c.lead["context"]["sources"], cast([], JSONB)).label("sources"),
    func.coalesce(*_campaign_name("last_campaign"), *_campaign_name("first_campaign"), "").label(
        "campaign"
    ),
    func.coalesce(handoffs.c.lead["context"]["persona"].astext, "").label("persona"),
)
"""What decides which promises hold for a handoff, as `Terms` has it."""


_KEPT_WHILE_AWAY = text("""
    handoffs.state = 'assigned' and handoffs.rep = any (array(
        select held.rep
        from (
            select distinct rep from routing.handoffs
            where state = 'assigned' and state in ('assigned', 'accepted', 'contacted')
            offset 0
        ) as held
        cross join lateral (
            select 1 from routing.reps, jsonb_array_elements(reps.time_off) as absence
            where reps.id = held.rep
                and cast(absence ->> 0 as timestamptz) <= :now and cast(absence ->> 1 as timestamptz) > :now
            limit 1
        ) as away
    ))
""")
"""A rep who is on time off has the handoff, and has not accepted it.

Reps are looked up by the handoffs that nobody has accepted, of which there are few: a tick reads the time off of no
other rep, however many there are.
"""


def _escalations() -> Select[*tuple[Any, ...]]:
    return select(*escalations.c)


def _escalation(row: Row[Any]) -> Escalation:
    values = row._asdict()
    values["step"] = Action(row.step)
    values["outcome"] = None if row.outcome is None else StepOutcome(row.outcome)
    values["clock"] = None if row.clock is None else SLA_CHANGED.codec.convert(row.clock)
    return Escalation(**values)
