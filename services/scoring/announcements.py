"""Records for the outbox that announce leads: known, merged, qualified or no longer so; and their touches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.scoring.domain.context import declared_traits, lead_context
from services.scoring.domain.identities import EventMessage
from services.scoring.domain.known import KnownOrigin
from services.scoring.domain.lead import Lead
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.profile import event_key
from services.scoring.domain.touches import TouchHistory, TouchPeriod
from services.scoring.domain.verdict import Crossing, Verdict
from shared.contracts.known import LeadKnown
from shared.contracts.payloads import LeadCard, LeadQualified, LeadsMerged, MarketingEvent
from shared.contracts.topic import Outgoing
from shared.contracts.topics import LEADS_KNOWN, LEADS_MERGED, LEADS_QUALIFIED, LEADS_TOUCHED
from shared.contracts.touches import LeadTouched
from shared.process.tracing import child_of

SOURCE = "leadbaton/scoring"


def leads_qualified(
    crossed: Sequence[Verdict],
    policy: ScoringPolicy,
    recent: Mapping[UUID, Sequence[MarketingEvent]],
    cards: Mapping[UUID, LeadCard],
    messages: Mapping[UUID, Sequence[EventMessage]],
) -> list[Outgoing]:
    """A record for each crossing of these leads, in the trace of the event that caused it.

    `recent` has the latest events of each lead for the rep to read, `cards` the cards of those that became qualified,
    `messages` the messages of this batch by lead.
    """
    traceparents = {
        event_key(message.payload): message.traceparent
        for verdict in crossed
        for message in messages.get(verdict.lead.id, ())
    }
    return [
        _record(
            verdict,
            crossing,
            policy,
            recent[verdict.lead.id],
            cards.get(verdict.lead.id),
            traceparents,
        )
        for verdict in crossed
        for crossing in verdict.crossings
    ]


def leads_merged(
    merges: Mapping[UUID, UUID],
    leads: Mapping[UUID, Lead],
    messages: Mapping[UUID, Sequence[EventMessage]],
    *,
    now: datetime,
) -> list[Outgoing]:
    """A record for each merge (goes: stays) of stored leads, in the trace of an event of the lead that stays.

    `leads` has the leads as they were before the merges, `messages` the messages of this batch by lead.
    """
    return [
        LEADS_MERGED.encode(
            LeadsMerged(
                lead_id=stays,
                merged_lead_id=goes,
                at=now,
                qualifications=leads[goes].qualification,
            ),
            id=f"{goes}/merged",
            source=SOURCE,
            at=now,
            traceparent=child_of(
                messages[stays][-1].traceparent,
                "leads merged",
                since=now,
                facts={"leadbaton.lead": str(stays)},
            ),
        )
        for goes, stays in merges.items()
    ]


def leads_known(
    leads: Sequence[Lead],
    origins: Mapping[UUID, KnownOrigin],
    policy: ScoringPolicy,
    *,
    now: datetime,
) -> list[Outgoing]:
    """A record for each of these known leads: since when it is known, and engaged."""
    payloads = [
        LeadKnown(
            lead_id=lead.id,
            sequence=lead.announced,
            known_at=lead.known_at,
            engaged_at=lead.engaged_at,
            persona=_persona_of(lead, policy),
            agreement_version=policy.version,
            **origins[lead.id]._asdict(),
        )
        for lead in leads
        if lead.known_at is not None
    ]
    return [_known(it, now) for it in payloads]


def _persona_of(lead: Lead, policy: ScoringPolicy) -> str | None:
    """The lead's persona; its facts, which take long, are not collected where the agreement has no personas."""
    if not policy.agreement.personas:
        return None
    return policy.persona(lead.profile.facts(policy)) or None


def known_leads_merged(
    merges: Mapping[UUID, UUID], leads: Mapping[UUID, Lead], policy: ScoringPolicy, *, now: datetime
) -> list[Outgoing]:
    """A last record for each merged lead (goes: stays) that was announced as known.

    `leads` has the leads as they were before the merges.
    """
    gone = [(leads[goes], stays) for goes, stays in merges.items()]
    payloads = [
        LeadKnown(
            lead_id=lead.id,
            sequence=lead.announced + 1,
            known_at=lead.known_at or lead.since,
            engaged_at=lead.engaged_at,
            agreement_version=policy.version,
            merged_into=stays,
        )
        for lead, stays in gone
        if lead.announced
    ]
    return [_known(it, now) for it in payloads]


def leads_touched(histories: Mapping[TouchPeriod, TouchHistory]) -> list[Outgoing]:
    """A record for each qualification, and for each closing of one, with the touches until then."""
    return [
        LEADS_TOUCHED.encode(
            LeadTouched(
                lead_id=period.qualified_lead_id,
                qualification=period.qualification,
                cause=period.cause,
                occurred_at=period.ends_at,
                known_at=history.known_at,
                touches=history.touches,
                omitted=history.omitted,
            ),
            id=period.key,
            source=SOURCE,
            at=period.ends_at,
        )
        for period, history in histories.items()
    ]


def _known(lead: LeadKnown, now: datetime) -> Outgoing:
    return LEADS_KNOWN.encode(
        lead, id=f"{lead.lead_id}/known/{lead.sequence}", source=SOURCE, at=now
    )


def _record(
    verdict: Verdict,
    crossing: Crossing,
    policy: ScoringPolicy,
    recent: Sequence[MarketingEvent],
    lead_card: LeadCard | None,
    traceparents: Mapping[str, str | None],
) -> Outgoing:
    live, cause = crossing.live, crossing.why_now
    context = lead_context(
        verdict.lead, policy, why_now=cause, recent=recent, lead_card=lead_card, now=crossing.at
    )
    payload = LeadQualified(
        lead_id=live.lead_id,
        qualification=live.qualification,
        change=crossing.change,
        at=crossing.at,
        tier=live.tier,
        cause=crossing.cause,
        scores=crossing.scores,
        agreement_version=policy.version,
        context=context,
        traits=declared_traits(verdict.lead, policy),
        hand_raised=live.hand_raised,
    )
    return LEADS_QUALIFIED.encode(
        payload,
        id=f"{live.key}/{crossing.change}",
        source=SOURCE,
        at=crossing.at,
        traceparent=child_of(
            traceparents.get(event_key(cause)) if cause else None,
            f"lead {crossing.change}",
            since=crossing.at,
            facts={"leadbaton.lead": str(verdict.lead.id)},
        ),
    )
