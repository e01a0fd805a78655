"""Leads that change without an event: because points fade, or by a new version of the agreement."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from services.scoring import announcements, metrics
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.verdict import judge
from services.scoring.handlers.versions import leads_under
from services.scoring.queries import leads, ledger
from shared.agreement.store import Policies
from shared.messaging import outbox

MAX_REVIEWED = 500
MAX_REBUILT = 50
"""How many leads are done at once: few, so that messages never wait long."""


def review_leads(session: Session, now: datetime, *, policies: Policies[ScoringPolicy]) -> None:
    """Judge leads whose review is due, and compute some leads of older versions by the newest agreement."""
    policy = policies.current(session)
    due = leads.claim_leads_to_review(session, now, limit=MAX_REVIEWED)
    outdated = leads.claim_leads_before(session, policy.version, limit=MAX_REBUILT)
    claimed = leads_under(session, {it.id: it for it in (*due, *outdated)}, policy, now)

    verdicts = [judge(lead, (), policy, now=now) for lead in claimed.values()]

    leads.save_leads(session, [verdict.lead for verdict in verdicts])
    leads.add_steps(session, [step for verdict in verdicts for step in verdict.steps])

    crossed = [verdict for verdict in verdicts if verdict.crossings]
    recent = ledger.latest_events(
        session, [it.lead.id for it in crossed], policy.readable_event_types()
    )
    outbox.append(session, announcements.leads_qualified(crossed, policy, recent, {}))
    metrics.count_crossings(crossed)
