"""Leads with their earlier handoffs and refusals, by person."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Uuid, and_, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from services.routing.domain.handoff import DISQUALIFY, State
from services.routing.domain.history import BrokenPromise, EarlierHandoff, KnownLeads, Refusal
from services.routing.queries import merges
from services.routing.tables import assignments, broken_promises, changes, handoffs
from shared.contracts.payloads import Change


def known_leads(session: Session, lead_ids: Collection[UUID]) -> KnownLeads:
    """These leads and those that were merged with them, with every handoff that they have or had."""
    survivors = merges.survivors_of(session, lead_ids)
    earlier = _earlier_handoffs(session, {*lead_ids, *survivors, *survivors.values()})
    if not earlier:
        return KnownLeads(survivors, (), ())
    known_ids = {it.lead_id for it in earlier}
    return KnownLeads(
        survivors, earlier, _refusals(session, known_ids), _broken_promises(session, known_ids)
    )


def _earlier_handoffs(session: Session, lead_ids: Collection[UUID]) -> list[EarlierHandoff]:
    statement = select(
        handoffs.c.id,
        handoffs.c.lead_id,
        handoffs.c.qualification,
        handoffs.c.state,
        handoffs.c.rep,
        handoffs.c.closed_at,
    ).where(handoffs.c.lead_id == any_(literal(list(lead_ids), ARRAY(Uuid))))
    return [
        EarlierHandoff(
            row.id, row.lead_id, row.qualification, State(row.state), row.rep, row.closed_at
        )
        for row in session.execute(statement)
    ]


def _broken_promises(session: Session, lead_ids: Collection[UUID]) -> list[BrokenPromise]:
    statement = (
        select(handoffs.c.lead_id, broken_promises.c.rep)
        .join(broken_promises, broken_promises.c.handoff_id == handoffs.c.id)
        .where(handoffs.c.lead_id == any_(literal(list(lead_ids), ARRAY(Uuid))))
    )
    return [BrokenPromise(row.lead_id, row.rep) for row in session.execute(statement)]


def _refusals(session: Session, lead_ids: Collection[UUID]) -> list[Refusal]:
    """Every rejection of the leads' handoffs, with the rep who had the handoff."""
    assigned = and_(
        assignments.c.handoff_id == changes.c.handoff_id, assignments.c.hop == changes.c.hop
    )
    statement = (
        select(
            handoffs.c.lead_id,
            assignments.c.rep,
            changes.c.details["recycle"].as_boolean().label("recycled"),
            changes.c.details["then"].as_string().label("then"),
        )
        .join(changes, changes.c.handoff_id == handoffs.c.id)
        .join(assignments, assigned)
        .where(
            handoffs.c.lead_id == any_(literal(list(lead_ids), ARRAY(Uuid))),
            changes.c.change == Change.REJECTED,
        )
    )
    return [
        Refusal(
            row.lead_id,
            row.rep,
            is_final=bool(row.recycled) or row.then == DISQUALIFY,
            recycled=bool(row.recycled),
        )
        for row in session.execute(statement)
    ]
