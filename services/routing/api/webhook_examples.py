"""An example of each webhook for the descriptions, made by the functions that make the real ones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from msgspec.structs import replace

from services.routing.delivery.links import MessageLinks
from services.routing.domain import notifications
from services.routing.domain.campaign_outcomes import outcome_notification
from services.routing.domain.formats import Format, encode
from services.routing.domain.handoff import Handoff, State, handoff_id
from services.routing.domain.notifications import Notification
from services.routing.domain.promises import promise_notification
from shared.agreement.model import Policy
from shared.contracts.payloads import (
    CampaignCounted,
    CardTouch,
    ClockChange,
    Consent,
    ConsentState,
    FormAnswer,
    LeadCard,
    LeadContext,
    LeadQualified,
    PageViews,
    Purchase,
    Qualified,
    Reason,
    RejectionCount,
    Scope,
    Scores,
    SlaChanged,
    TopicViews,
    Touch,
    WonAmount,
)

LEAD_ID = UUID("6f1f2f0e-5f0d-4a53-9d0f-2b8d3c1a7e42")
QUALIFIED_AT = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
PUBLIC_URL = "https://leads.example.com"
CONSOLE_URL = "https://console.example.com"
DUE_AT = QUALIFIED_AT + timedelta(minutes=30)


def example_bodies(format_: Format = Format.STANDARD) -> dict[str, Any]:
    """The decoded body of an example of each type of webhook in this format, by its type."""
    handoff = _handoff()
    assignment = notifications.assignment(handoff, [_promise()], public_url=PUBLIC_URL)
    withdrawal = notifications.withdrawal(
        handoff,
        handoff._replace(rep="jonas", hop=2),
        reason="reassigned_by_ops",
        actor="ops",
        public_url=PUBLIC_URL,
        at=DUE_AT,
    )
    failures = [
        notifications.undelivered(
            assignment,
            cause="example",
            endpoint=notifications.team_endpoint(handoff.team),
            state="pending",
            at=DUE_AT - timedelta(minutes=20),
        ),
        notifications.disabled(assignment, cause="example", at=DUE_AT),
    ]
    links = MessageLinks(PUBLIC_URL, CONSOLE_URL, b"the key of no installation")
    outcome = outcome_notification(_campaign())
    notifications_sent = (assignment, withdrawal, *_promises(handoff), *failures, outcome)
    sent = {it.type: links.linked_body(it) for it in notifications_sent}
    sent[notifications.TESTED] = notifications.body_of_test(
        assignment.endpoint, actor="ops/dana", at=DUE_AT
    )
    return {type: orjson.loads(encode(format_, it)) for type, it in sent.items()}


def _promises(handoff: Handoff) -> list[Notification]:
    """A promise at risk, for the rep, and a broken one, for the team."""
    broken, warned_at = _breached_clock(handoff), DUE_AT - timedelta(minutes=10)
    at_risk = replace(
        broken,
        change=ClockChange.ESCALATED,
        occurred_at=warned_at,
        detected_at=warned_at,
        step="rep",
    )
    endpoints = (notifications.rep_endpoint("amira"), notifications.team_endpoint(handoff.team))
    return [
        promise_notification(clock, handoff, endpoint=it, cause="example", public_url=PUBLIC_URL)
        for clock, it in zip((at_risk, broken), endpoints, strict=True)
    ]


def _promise() -> tuple[Policy, datetime]:
    """Acceptance within 30 minutes."""
    promise = {"id": "accept_inbound", "kind": "accept", "target": "30m"}
    policy = Policy.model_validate({**promise, "scope": "hop", "anchor": "assigned"})
    return policy, DUE_AT


def _handoff() -> Handoff:
    return Handoff(
        id=handoff_id(LEAD_ID, 1),
        lead_id=LEAD_ID,
        qualification=1,
        state=State.ASSIGNED,
        team="inbound",
        rule="inbound",
        tier="enterprise",
        tier_rank=0,
        qualified_at=QUALIFIED_AT,
        agreement_version=3,
        lead=_lead(),
        rep="amira",
        hop=1,
        sequence=2,
        assigned_at=QUALIFIED_AT,
    )


def _lead() -> LeadQualified:
    demo = Touch(
        id="form-8812",
        type="demo_requested",
        time=QUALIFIED_AT - timedelta(seconds=2),
        title="Request a demo",
        url="https://www.example.com/demo",
        properties={"message": "Leads wait for days before anybody calls them."},
    )
    return LeadQualified(
        lead_id=LEAD_ID,
        qualification=1,
        change=Qualified.BECAME,
        at=QUALIFIED_AT,
        tier="enterprise",
        cause="hand_raise",
        scores=Scores(fit=72.0, engagement=55.0, grade="A2"),
        agreement_version=3,
        context=LeadContext(
            email="ines@tidewater-analytics.com",
            phone="+493012345678",
            name="Ines Tide",
            company="Tidewater Analytics",
            account="tidewater-analytics.com",
            persona="economic_buyer",
            traits={"employees": 240, "country": "US"},
            why_now=demo,
            reasons=(Reason(rule="demo", label="Asked for a demo", points=50.0),),
            recent=(demo,),
            last_campaign={"source": "linkedin", "name": "revops_leaders"},
            sources=("website",),
            lead_card=_example_card(),
        ),
    )


def _example_card() -> LeadCard:
    wrote_at = QUALIFIED_AT - timedelta(seconds=2)
    first_at = QUALIFIED_AT - timedelta(days=12)
    order = Purchase(
        type="order_completed", title="Starter", amount=490.0, currency="EUR", at=first_at
    )
    return LeadCard(
        persona="Decides about budgets",
        channel="direct",
        first_touch=CardTouch(
            channel="paid_social",
            campaign="revops_leaders",
            type="page_viewed",
            at=first_at,
        ),
        last_touch=CardTouch(channel="direct", type="demo_requested", at=wrote_at),
        form_answers=(
            FormAnswer(
                field="message",
                label="What they wrote",
                text="Leads wait for days before anybody calls them.",
                at=wrote_at,
            ),
        ),
        topics=(TopicViews(topic="prices", label="Prices", views=3, weight=2.61),),
        pages=(
            PageViews(path="/pricing", title="Pricing", views=3, weight=2.61, last_at=wrote_at),
        ),
        purchases=(order,),
        purchase_count=1,
        consent=Consent(state=ConsentState.GRANTED, by="newsletter", at=first_at),
    )


def _breached_clock(handoff: Handoff) -> SlaChanged:
    return SlaChanged(
        clock_id=UUID("b7e1c1f8-6a7b-5f0a-9a52-0f6f0a4a1d33"),
        handoff_id=handoff.id,
        lead_id=handoff.lead_id,
        hop=handoff.hop,
        policy="accept_inbound",
        kind="accept",
        scope=Scope.HOP,
        change=ClockChange.BREACHED,
        step="team",
        occurred_at=DUE_AT,
        detected_at=DUE_AT + timedelta(milliseconds=40),
        due_at=DUE_AT,
        team=handoff.team,
        rep=handoff.rep,
        tier=handoff.tier,
        agreement_version=handoff.agreement_version,
    )


def _campaign() -> CampaignCounted:
    return CampaignCounted(
        campaign="revops_leaders",
        day=date(2026, 11, 23),
        counted_at=datetime(2026, 11, 24, 1, 0, tzinfo=UTC),
        qualified=12,
        accepted=7,
        rejected=3,
        contacted=6,
        won=1,
        rejections=(
            RejectionCount(reason="no_budget", count=2),
            RejectionCount(reason="wrong_company", count=1),
        ),
        revenue=(WonAmount(currency="EUR", amount=12_000.0, wins=1),),
    )
