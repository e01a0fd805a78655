"""Builders of payloads, messages and agreements, with defaults for what a test is not about."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from shared.agreement.model import Agreement
from shared.contracts.codec import P
from shared.contracts.payloads import (
    Change,
    ClockChange,
    EventKind,
    HandoffChanged,
    Identity,
    LeadContext,
    LeadQualified,
    LeadsMerged,
    MarketingEvent,
    Qualified,
    Scope,
    Scores,
    SlaChanged,
)
from shared.contracts.topic import Message, Outgoing, Record, Topic
from shared.contracts.topics import (
    LEADS_MERGED,
    LEADS_QUALIFIED,
    MARKETING_EVENTS,
    SLA_CHANGED,
)

NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
"""A Wednesday, in the middle of a working day."""

_numbers = itertools.count(1)


def minutes(count: float) -> timedelta:
    """A duration in minutes."""
    return timedelta(minutes=count)


def days(count: float) -> timedelta:
    """A duration in days of 24 hours."""
    return timedelta(days=count)


def an_id(name: object) -> UUID:
    """The same UUID for the same name."""
    return uuid5(NAMESPACE_URL, str(name))


def marketing_event(
    type: str = "page_viewed",
    *,
    id: str | None = None,
    email: str | None = "ada@example.com",
    time: datetime = NOON,
    source: str = "website",
    kind: EventKind = EventKind.TRACK,
    user_id: str | None = None,
    anonymous_id: str | None = None,
    phone: str | None = None,
    **fields: Any,
) -> MarketingEvent:
    """A marketing event of the person Ada, with a new id unless one is passed."""
    return MarketingEvent(
        source=source,
        id=id or f"event-{next(_numbers)}",
        kind=kind,
        type=type,
        time=time,
        received_at=fields.pop("received_at", time),
        identity=Identity(email=email, phone=phone, user_id=user_id, anonymous_id=anonymous_id),
        **fields,
    )


def lead_qualified(
    *,
    lead: object = "ada",
    qualification: int = 1,
    change: Qualified = Qualified.BECAME,
    at: datetime = NOON,
    tier: str = "standard",
    traits: Mapping[str, Any] | None = None,
    **fields: Any,
) -> LeadQualified:
    """A qualification; `lead` is the lead's id, or a name that an id derives from."""
    return LeadQualified(
        lead_id=lead if isinstance(lead, UUID) else an_id(lead),
        qualification=qualification,
        change=change,
        at=at,
        tier=tier,
        cause=fields.pop("cause", "hand_raise"),
        scores=fields.pop("scores", Scores(fit=60.0, engagement=50.0, grade="B2")),
        agreement_version=fields.pop("agreement_version", 1),
        context=fields.pop(
            "context",
            LeadContext(email="ada@example.com", account="example.com", traits=dict(traits or {})),
        ),
        **fields,
    )


def leads_merged(
    *, stays: object = "ada", goes: object, at: datetime = NOON, qualifications: int = 1
) -> LeadsMerged:
    """A merge of two leads, each by its id or by a name that an id derives from."""
    return LeadsMerged(
        lead_id=stays if isinstance(stays, UUID) else an_id(stays),
        merged_lead_id=goes if isinstance(goes, UUID) else an_id(goes),
        at=at,
        qualifications=qualifications,
    )


def handoff_changed(
    change: Change = Change.ASSIGNED,
    *,
    lead: object = "ada",
    qualification: int = 1,
    sequence: int = 1,
    at: datetime = NOON,
    rep: str | None = "grace",
    **fields: Any,
) -> HandoffChanged:
    """A change of the handoff of the lead Ada to the rep Grace."""
    lead_id = lead if isinstance(lead, UUID) else an_id(lead)
    return HandoffChanged(
        handoff_id=fields.pop("handoff_id", an_id(f"{lead_id}/{qualification}")),
        lead_id=lead_id,
        qualification=qualification,
        sequence=sequence,
        change=change,
        occurred_at=at,
        recorded_at=fields.pop("recorded_at", at),
        hop=fields.pop("hop", 0 if rep is None else 1),
        team=fields.pop("team", "sales"),
        rep=rep,
        tier=fields.pop("tier", "standard"),
        qualified_at=fields.pop("qualified_at", at),
        assigned_at=fields.pop("assigned_at", None if rep is None else at),
        agreement_version=fields.pop("agreement_version", 1),
        **fields,
    )


def sla_changed(
    change: ClockChange = ClockChange.BREACHED,
    *,
    lead: object = "ada",
    at: datetime = NOON,
    policy: str = "first_touch",
    **fields: Any,
) -> SlaChanged:
    """A change of the clock of Ada's handoff to Grace."""
    lead_id = lead if isinstance(lead, UUID) else an_id(lead)
    handoff_id = fields.pop("handoff_id", an_id(f"{lead_id}/1"))
    return SlaChanged(
        clock_id=fields.pop("clock_id", an_id(f"{handoff_id}/1/{policy}")),
        handoff_id=handoff_id,
        lead_id=lead_id,
        hop=fields.pop("hop", 1),
        policy=policy,
        kind=fields.pop("kind", "first_touch"),
        scope=fields.pop("scope", Scope.HOP),
        change=change,
        occurred_at=at,
        detected_at=fields.pop("detected_at", at),
        due_at=fields.pop("due_at", at),
        team=fields.pop("team", "sales"),
        rep=fields.pop("rep", "grace"),
        tier=fields.pop("tier", "standard"),
        agreement_version=fields.pop("agreement_version", 1),
        **fields,
    )


def outgoing(
    topic: Topic[P], payload: P, *, id: str | None = None, at: datetime = NOON
) -> Outgoing:
    """The payload as a record to be produced."""
    return topic.encode(payload, id=id or _natural_id(payload), source="leadbaton/test", at=at)


def record(topic: Topic[P], payload: P, *, offset: int = 0, partition: int = 0) -> Record:
    """The payload as a record in Kafka."""
    sent = outgoing(topic, payload)
    return Record(topic.name, partition, offset, sent.key, sent.value, sent.headers)


def message(topic: Topic[P], payload: P) -> Message[P]:
    """The payload as a handler gets it, with the id that derives from its cause."""
    return topic.decode(record(topic, payload))


def messages(payloads: Sequence[MarketingEvent]) -> list[Message[MarketingEvent]]:
    """Marketing events as the scoring handler gets them."""
    return [message(MARKETING_EVENTS, payload) for payload in payloads]


def qualified_message(payload: LeadQualified) -> Message[LeadQualified]:
    """A qualification as handlers get it."""
    return message(LEADS_QUALIFIED, payload)


def merged_message(payload: LeadsMerged) -> Message[LeadsMerged]:
    """A merge of leads as handlers get it."""
    return message(LEADS_MERGED, payload)


def sla_message(payload: SlaChanged) -> Message[SlaChanged]:
    """A clock's change as handlers get it."""
    return message(SLA_CHANGED, payload)


def _natural_id(payload: object) -> str:
    match payload:
        case MarketingEvent():
            return f"{payload.source}/{payload.id}"
        case LeadQualified():
            return f"{payload.lead_id}/{payload.qualification}/{payload.change}"
        case LeadsMerged():
            return f"{payload.merged_lead_id}/merged"
        case HandoffChanged():
            return f"{payload.handoff_id}/{payload.sequence}"
        case SlaChanged():
            return f"{payload.clock_id}/{payload.change}"
    raise TypeError(f"no natural id for {type(payload).__name__}")


def agreement(**sections: Any) -> Agreement:
    """A small complete agreement; the sections that are passed replace the default ones."""
    return Agreement.model_validate({**DEFAULT_SECTIONS, **sections})


DEFAULT_SECTIONS: dict[str, Any] = {
    "leadbaton": 1,
    "name": "Test agreement",
    "traits": {
        "country": "string",
        "company_size": "number",
        "title": "string",
        "customer": "boolean",
    },
    "scoring": {
        "fit": [
            {"id": "large_company", "when": "lead.company_size >= 200", "points": 40},
            {"id": "home_market", "when": 'lead.country == "DE"', "points": 20},
            {"id": "student", "when": 'lead.title == "Student"', "points": -30},
        ],
        "signals": [
            {"id": "page", "on": "page_viewed", "points": 5, "half_life": "7d", "daily_max": 15},
            {"id": "form", "on": "form_submitted", "points": 30, "half_life": "14d"},
            {"id": "demo", "on": "demo_requested", "points": 50, "half_life": "never", "max": 50},
        ],
    },
    "qualification": {
        "hand_raise": ["demo_requested"],
        "threshold": {"when": "engagement >= 50", "rearm_below": 30},
        "require": ["email"],
        "tiers": [
            {"id": "enterprise", "when": "lead.company_size >= 1000"},
            {"id": "standard", "when": True},
        ],
    },
    "routing": {
        "teams": [{"id": "sales", "calendar": "office"}],
        "rules": [{"id": "everybody", "when": True, "team": "sales"}],
        "reject_reasons": [
            {"id": "no_capacity", "then": "reassign"},
            {"id": "not_ready", "then": "recycle"},
        ],
        "loss_reasons": ["price"],
    },
    "sla": {
        "calendars": [
            {
                "id": "office",
                "zone": "UTC",
                "hours": {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")},
            }
        ],
        "policies": [
            {
                "id": "first_touch",
                "kind": "first_touch",
                "scope": "hop",
                "anchor": "assigned",
                "target": "1h",
            }
        ],
    },
}
