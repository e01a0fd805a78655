"""Announces leads that became or ceased to be qualified, with their touches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from services.scoring import announcements, metrics
from services.scoring.domain.identities import EventMessage
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.verdict import Verdict
from services.scoring.queries import ledger, touches
from shared.messaging import outbox


def announce_crossings(
    session: Session,
    verdicts: Sequence[Verdict],
    policy: ScoringPolicy,
    messages: Mapping[UUID, Sequence[EventMessage]] = {},
) -> None:
    """Announce the crossings of these leads; `messages` has those of this batch by lead."""
    crossed = [verdict for verdict in verdicts if verdict.crossings]
    recent = ledger.latest_events(session, [it.lead.id for it in crossed], policy.readable_types())
    periods = [period for verdict in crossed for period in verdict.touch_periods]
    histories = touches.touches_of(session, periods)
    outbox.append(session, announcements.leads_qualified(crossed, policy, recent, messages))
    outbox.append(session, announcements.leads_touched(histories))
    metrics.count_crossings(crossed)
