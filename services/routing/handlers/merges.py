"""Leads that turned out to be one person: of their live handoffs one stays, and the others end as merged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from services.routing import announcements
from services.routing.domain.handoff import MERGED, SYSTEM
from services.routing.domain.merges import merge_handoffs, merged_leads
from services.routing.handlers.assignment import Assigner, assign_in_team
from services.routing.handlers.withdrawals import notify_withdrawals, take_from_reps
from services.routing.queries import changes, deliveries, handoffs, merges, teams
from shared.contracts.payloads import LeadsMerged
from shared.contracts.topic import Message
from shared.messaging import outbox


def on_leads_merged(
    session: Session,
    messages: Sequence[Message[LeadsMerged]],
    now: datetime,
    *,
    assigner: Assigner,
) -> None:
    """End all live handoffs of a person but one, and notify the reps who lose one; freed reps get waiting leads.

    A lead that had never qualified has no handoff, and its merge is not recorded.
    """
    pairs = [
        (it.payload.lead_id, it.payload.merged_lead_id)
        for it in messages
        if it.payload.qualifications > 0
    ]
    if not pairs:
        return
    merges.take_lock(session)
    lead_ids = {lead_id for pair in pairs for lead_id in pair}
    known = merges.survivors_of(session, lead_ids)

    survivors = merged_leads(pairs, known)
    live = handoffs.locked_live(session, {*lead_ids, *survivors, *survivors.values()})
    ended = merge_handoffs(live, survivors, now=now)
    steps = [step for _, step in ended]
    held = [handoff for handoff, _ in ended if handoff.state.held]

    merges.save_survivors(session, survivors)
    teams.lock_teams(session, team_ids := {it.team for it in held})
    changes.save_handoffs(session, steps)
    changes.add_changes(session, steps)
    deliveries.cancel_waiting(session, [it.handoff.id for it in steps], now=now)
    outbox.append(session, announcements.handoffs_changed(steps))
    take_from_reps(session, held, now=now)
    for team in sorted(team_ids):
        assign_in_team(session, team, (), assigner=assigner, now=now)
    notify_withdrawals(
        session, held, reason=MERGED, actor=SYSTEM, public_url=assigner.public_url, now=now
    )
