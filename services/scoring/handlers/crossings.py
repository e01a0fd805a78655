"""Announces leads that became or ceased to be qualified, with their touches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from services.scoring import announcements, metrics
from services.scoring.domain.card import CardSources, build_card, origins_of
from services.scoring.domain.identities import EventMessage
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.touches import TouchHistory, TouchPeriod
from services.scoring.domain.verdict import Verdict
from services.scoring.queries import ledger, touches
from shared.contracts.payloads import LeadCard
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
    cards = _cards(session, crossed, policy, histories)
    outbox.append(session, announcements.leads_qualified(crossed, policy, recent, cards, messages))
    outbox.append(session, announcements.leads_touched(histories))
    metrics.count_crossings(crossed)


def _cards(
    session: Session,
    crossed: Sequence[Verdict],
    policy: ScoringPolicy,
    histories: Mapping[TouchPeriod, TouchHistory],
) -> dict[UUID, LeadCard]:
    """The cards of the leads that became qualified."""
    qualified = {period: verdict.lead for verdict in crossed for period in verdict.touch_periods}
    card_sources = CardSources.of(policy.agreement.lead_card)
    events = ledger.card_events(session, {it.id for it in qualified.values()}, card_sources)
    return {
        lead.id: build_card(
            lead.profile,
            policy,
            events[lead.id],
            origins_of(histories[period].touches),
            now=period.ends_at,
        )
        for period, lead in qualified.items()
    }
