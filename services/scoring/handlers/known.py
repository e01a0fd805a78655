"""Announces leads that became known or engaged; those that were so before this was announced, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.scoring import announcements
from services.scoring.domain.known import known_before
from services.scoring.domain.lead import Lead
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.queries import known, leads, ledger
from shared.agreement.store import Policies
from shared.contracts.topics import LEADS_KNOWN
from shared.messaging import backfills, outbox

TOPIC = LEADS_KNOWN.name
MAX_LEADS = 50
"""How many leads are read at once with all of their events: few, so that messages never wait long."""


def announce_known(
    session: Session,
    changed: Sequence[Lead],
    stored: Mapping[UUID, Lead],
    policy: ScoringPolicy,
    *,
    now: datetime,
) -> None:
    """Announce those of the changed leads that have an announcement more than when they were stored."""
    news = [
        it for it in changed if it.announced > (stored[it.id].announced if it.id in stored else 0)
    ]
    origins = known.origins_of(session, news)
    outbox.append(session, announcements.leads_known(news, origins, policy, now=now))


def announce_known_before(
    session: Session, now: datetime, *, policies: Policies[ScoringPolicy]
) -> bool:
    """Announce leads that were known before leads were announced as known; returns whether more may wait.

    Each is read with all of its events, once in its life. That this backfill runs is noted until no lead is left, those
    that other workers hold included.
    """
    claimed = leads.claim_known_before(session, limit=MAX_LEADS)
    if not claimed:
        if backfills.is_running(session, TOPIC) and not leads.is_any_known_before(session):
            backfills.note_ended(session, TOPIC, now)
        return False
    backfills.note_running(session, TOPIC, now)
    policy = policies.current(session)
    events = ledger.events_of(session, [it.id for it in claimed])

    known_leads = [known_before(it, events[it.id], policy) for it in claimed]

    leads.save_leads(session, known_leads)
    announce_known(session, known_leads, {it.id: it for it in claimed}, policy, now=now)
    return len(claimed) == MAX_LEADS
