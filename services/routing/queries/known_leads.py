"""Leads with their earlier handoffs and refusals, by person."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Uuid, and_, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from services.routing.domain.handoff import DISQUALIFY, State
from services.routing.domain.history import EarlierHandoff, KnownLeads, Refusal
from services.routing.queries import merges
from services.routing.tables import assignments, changes, handoffs
from shared.contracts.payloads import Change


def known_leads(session: Session, lead_ids: Collection[UUID]) -> KnownLeads:
    """These leads and those that were merged with them, with every handoff that they have or had."""
    survivors = merges.survivors_of(session, lead_ids)
    earlier = _earlier_handoffs(session, {*lead_ids, *survivors, *survivors.values()})
    refusals = _refusals(session, {it.lead_id for it in earlier}) if earlier else []
    return KnownLeads(survivors, earlier, refusals)


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
