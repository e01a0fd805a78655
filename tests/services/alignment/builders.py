"""Builders of histories, and handlers that get them as messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Any

from msgspec.structs import replace
from sqlalchemy.orm import Session

from services.alignment.domain.facts import HandoffFacts
from services.alignment.handlers.handoffs import on_handoffs_changed
from services.alignment.handlers.known import on_leads_known
from services.alignment.handlers.promises import on_sla_changed
from services.alignment.handlers.qualifications import on_leads_qualified
from services.alignment.handlers.touches import on_leads_touched
from services.alignment.queries.leads import Listed, handoffs_in
from services.alignment.queries.selection import Selection
from shared.contracts.known import LeadKnown
from shared.contracts.payloads import (
    Change,
    ClockChange,
    HandoffChanged,
    LeadContext,
    LeadQualified,
    SlaChanged,
)
from shared.contracts.topic import Message, Record
from shared.contracts.topics import HANDOFFS_CHANGED, LEADS_KNOWN, LEADS_TOUCHED
from shared.contracts.touches import LeadTouched, MarketingTouch, TouchCause
from shared.db.time_range import ALWAYS
from tests.builders import (
    NOON,
    an_id,
    days,
    handoff_changed,
    lead_qualified,
    message,
    minutes,
    outgoing,
    qualified_message,
    sla_changed,
    sla_message,
)

News = LeadQualified | HandoffChanged | SlaChanged | LeadTouched | LeadKnown

EVERYTHING = Selection(ALWAYS)


def after_noon(minute: float) -> datetime:
    """The instant so many minutes after noon."""
    return NOON + minutes(minute)


def qualified(
    lead: object = "ada", campaign: str | None = "autumn", **fields: Any
) -> LeadQualified:
    """A qualification of a lead from a campaign."""
    last = {} if campaign is None else {"name": campaign}
    context = LeadContext(
        name="Ada Lovelace",
        email="ada@example.com",
        last_campaign=last,
        sources=("website",),
        persona=fields.pop("persona", None),
        why_now=fields.pop("why_now", None),
    )
    traits = fields.pop("traits", None)
    return replace(lead_qualified(lead=lead, context=context, **fields), traits=traits)


def step(change: Change, after: float = 0, **fields: Any) -> HandoffChanged:
    """A change so many minutes after noon, when the lead qualified; the lead's name goes along."""
    usual = {"qualified_at": NOON, "lead_name": "Ada Lovelace", "campaign": "autumn"}
    return handoff_changed(change, at=after_noon(after), **{**usual, **fields})


def lead_touched(
    *campaigns: str | None,
    lead: object = "ada",
    cause: TouchCause = TouchCause.CLOSED,
    minute: float = 9,
    channel: str = "email",
    qualification: int = 1,
) -> LeadTouched:
    """The touches of a lead until so many minutes after noon: one a day before noon, the last one a day before it."""
    return LeadTouched(
        lead_id=an_id(lead),
        qualification=qualification,
        cause=cause,
        occurred_at=after_noon(minute),
        known_at=NOON,
        touches=tuple(
            MarketingTouch(
                id=f"touch {number}",
                occurred_at=NOON - days(number),
                channel=channel,
                campaign=campaign,
                source="website",
                type="email_clicked",
            )
            for number, campaign in zip(range(len(campaigns), 0, -1), campaigns, strict=True)
        ),
    )


def lead_known(
    lead: object = "ada", *, sequence: int = 1, known_at: datetime = NOON, **fields: Any
) -> LeadKnown:
    """A record of a known lead."""
    version = fields.pop("agreement_version", 1)
    return LeadKnown(
        lead_id=an_id(lead),
        sequence=sequence,
        known_at=known_at,
        agreement_version=version,
        **fields,
    )


def numbered(*steps: HandoffChanged) -> list[HandoffChanged]:
    """The changes with their sequence, from 1."""
    return [replace(it, sequence=number) for number, it in enumerate(steps, start=1)]


def history(*steps: HandoffChanged) -> list[HandoffChanged]:
    """A handoff that is assigned at once, and these changes."""
    return numbered(step(Change.ASSIGNED), *steps)


def read(session: Session, *news: News) -> None:
    """Read the news as batches: those of one topic that follow each other are one."""
    batch: list[News] = []
    for payload in news:
        if batch and type(batch[-1]) is not type(payload):
            _handle(session, batch)
            batch = []
        batch.append(payload)
    _handle(session, batch)


def _handle(session: Session, batch: Sequence[News]) -> None:
    leads = [qualified_message(it) for it in batch if isinstance(it, LeadQualified)]
    changes = [message(HANDOFFS_CHANGED, it) for it in batch if isinstance(it, HandoffChanged)]
    clocks = [sla_message(it) for it in batch if isinstance(it, SlaChanged)]
    touched = [touched_message(it) for it in batch if isinstance(it, LeadTouched)]
    known = [known_message(it) for it in batch if isinstance(it, LeadKnown)]
    on_leads_known(session, known, NOON)
    on_leads_qualified(session, leads, NOON)
    on_leads_touched(session, touched, NOON)
    on_handoffs_changed(session, changes, NOON)
    on_sla_changed(session, clocks, NOON)


def touched_message(payload: LeadTouched) -> Message[LeadTouched]:
    """The touches as handlers get them."""
    id = f"{payload.lead_id}/{payload.qualification}/{payload.cause}"
    sent = outgoing(LEADS_TOUCHED, payload, id=id)
    record = Record(LEADS_TOUCHED.name, 0, 0, sent.key, sent.value, sent.headers)
    return LEADS_TOUCHED.decode(record)


def known_message(payload: LeadKnown) -> Message[LeadKnown]:
    """The record as handlers get it."""
    sent = outgoing(LEADS_KNOWN, payload, id=f"{payload.lead_id}/known/{payload.sequence}")
    record = Record(LEADS_KNOWN.name, 0, 0, sent.key, sent.value, sent.headers)
    return LEADS_KNOWN.decode(record)


def stored_facts(session: Session) -> list[HandoffFacts]:
    """The facts of every handoff that is not merged."""
    counted = handoffs_in(session, Listed(EVERYTHING), after=None, limit=10_000)
    return [it.facts for it in counted]


def random_news(chance: Random, lead: str) -> list[News]:
    """All that is announced of one lead, which may qualify twice."""
    news: list[News] = []
    for qualification in range(1, chance.choice([2, 3])):
        handoff_id = an_id(f"{an_id(lead)}/{qualification}")
        of_lead: dict[str, Any] = {"lead": lead, "qualification": qualification}
        campaign, tier = chance.choice(["autumn", "spring", None]), chance.choice(["hot", "warm"])
        channel, persona = chance.choice(["email", "event"]), chance.choice([None, "champion"])
        news.append(qualified(campaign=campaign, tier=tier, persona=persona, **of_lead))
        news += [
            lead_touched(*[campaign] * chance.randrange(3), cause=it, channel=channel, **of_lead)
            for it in chance.sample([*TouchCause], chance.randrange(3))
        ]
        steps = [step(Change.ASSIGNED, tier=tier, campaign=campaign, **of_lead)]
        for minute in range(chance.randrange(5)):
            change = chance.choice(
                [
                    Change.ACCEPTED,
                    Change.CONTACTED,
                    Change.REJECTED,
                    Change.REASSIGNED,
                    Change.WAITING,
                ]
            )
            steps.append(step(change, minute, tier=tier, campaign=campaign, **of_lead))
        ends: dict[Change, dict[str, Any]] = {
            Change.WON: {"amount": chance.choice([None, 0.1, 12.34]), "currency": "EUR"},
            Change.LOST: {"reason": "budget"},
            Change.RETURNED: {"reason": chance.choice(["merged", "decayed"])},
        }
        end = chance.choice([None, *ends])
        if end is not None:
            steps.append(step(end, 9, tier=tier, campaign=campaign, **of_lead, **ends[end]))
        news += numbered(*steps)
        for number, change in enumerate(chance.sample([*ClockChange], 4)):
            news.append(
                sla_changed(change, lead=lead, handoff_id=handoff_id, at=after_noon(number))
            )
    return news
