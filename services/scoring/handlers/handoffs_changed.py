"""Changes of handoffs: each is applied to its lead, and to what reps may see."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from services.scoring import announcements
from services.scoring.domain.handoff import closing_of, follow_handoff
from services.scoring.domain.holding import Holdings
from services.scoring.domain.lead import StageChange
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.touches import TouchPeriod
from services.scoring.queries import handoffs, holdings, leads, touches
from shared.agreement.store import Policies
from shared.contracts.payloads import HandoffChanged
from shared.contracts.topic import Message
from shared.messaging import outbox


def on_handoffs_changed(
    session: Session,
    messages: Sequence[Message[HandoffChanged]],
    now: datetime,
    *,
    policies: Policies[ScoringPolicy],
) -> None:
    """Apply the changes to the leads; a change that was applied before does nothing."""
    changes = sorted((message.payload for message in messages), key=lambda it: it.sequence)
    handoff_ids = {change.handoff_id for change in changes}
    surviving = leads.surviving_leads(session, {change.lead_id for change in changes})
    changed = leads.locked_leads(session, set(surviving.values()))
    sequences = handoffs.last_sequences(session, handoff_ids)
    held = Holdings(holdings.holdings_of(session, handoff_ids))

    steps: list[StageChange] = []
    closings: list[TouchPeriod] = []
    for change in changes:
        if change.sequence <= sequences.get(change.handoff_id, 0):
            continue
        sequences[change.handoff_id] = change.sequence
        lead_id = surviving.get(change.lead_id, change.lead_id)
        held.follow(change, lead_id)
        if lead_id in changed:
            if closing := closing_of(changed[lead_id], change):
                closings.append(closing)
            policy = policies.version(session, change.agreement_version)
            verdict = follow_handoff(changed[lead_id], change, policy, now=now)
            changed[lead_id] = verdict.lead
            steps.extend(verdict.steps)

    leads.save_leads(session, changed.values())
    leads.add_steps(session, steps)
    holdings.save_holdings(session, held.changed.values())
    handoffs.save_sequences(session, sequences)
    outbox.append(session, announcements.leads_touched(touches.touches_of(session, closings)))
