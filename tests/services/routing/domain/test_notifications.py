"""What webhooks say, and how they are signed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from standardwebhooks import Webhook

from services.routing.domain import notifications
from services.routing.domain.due_times import DueTimes
from services.routing.domain.handoff import Handoff
from services.routing.domain.notification_body import MAX_BYTES
from services.routing.domain.signing import encode_secret, signed_headers
from shared.agreement.model import Policy
from shared.clock import utc_now
from shared.contracts.codec import encode
from shared.contracts.payloads import FormAnswer, LeadCard, LeadContext, PageViews, Touch
from tests.builders import DEFAULT_SECTIONS, NOON, agreement, lead_qualified
from tests.services.routing.builders import URL, build_policy, handoff

POLICY = {"kind": "accept", "scope": "hop", "anchor": "assigned", "target": "1h"}


def due(handoff: Handoff, **sections: Any) -> list[tuple[Policy, datetime]]:
    """The promises about an assignment, and when they are due."""
    return list(DueTimes(agreement(**sections), build_policy(**sections)).of(handoff))


def data(notification: notifications.Notification) -> dict[str, Any]:
    fields: dict[str, Any] = orjson.loads(notification.body)["data"]
    return fields


def test_a_signature_is_verified_by_the_library_of_the_standard() -> None:
    secret, body = bytes(range(32)), '{"grüße": 1}'.encode()

    headers = signed_headers([secret], id="id-1", at=utc_now(), body=body)

    assert Webhook(encode_secret(secret)).verify(body, headers) == {"grüße": 1}
    assert headers["webhook-timestamp"].isdecimal()


def test_an_assignment_has_the_handoff_the_lead_the_scores_and_the_links() -> None:
    notification = notifications.assignment(handoff(), due(handoff()), public_url=URL + "/")

    payload = orjson.loads(notification.body)
    assert (payload["type"], payload["timestamp"]) == (
        "handoff.assigned",
        "2026-11-18T12:00:00+00:00",
    )
    assert payload["data"]["handoff"]["cause"] == "hand_raise"
    assert payload["data"]["scores"]["grade"] == "B2"
    assert payload["data"]["links"]["win"] == f"{URL}/v1/handoffs/{notification.handoff_id}/win"
    assert notification.endpoint == "rep/grace"
    assert notification.id == notifications.notification_id(
        f"{notification.handoff_id}/1/handoff.assigned"
    )


@pytest.mark.parametrize(
    ("policy", "assigned", "due_at"),
    [
        ({}, handoff(), ["2026-11-18T13:00:00+00:00"]),
        ({"when": 'tier == "enterprise"'}, handoff(), []),
        ({"when": 'team == "sales"'}, handoff(), ["2026-11-18T13:00:00+00:00"]),
        ({}, handoff(calendar="late"), ["2026-11-18T15:00:00+00:00"]),
        ({"scope": "journey"}, handoff(calendar="late"), ["2026-11-18T13:00:00+00:00"]),
        (
            {"scope": "journey", "anchor": "qualified"},
            handoff(qualified_at=NOON - timedelta(minutes=30)),
            ["2026-11-18T12:30:00+00:00"],
        ),
        ({"anchor": "accepted"}, handoff(), []),
    ],
    ids=[
        "in the team's hours",
        "other tier",
        "this team",
        "in the rep's hours",
        "journeys count the team's",
        "since it qualified",
        "not yet running",
    ],
)
def test_due_times_follow_the_policies_of_the_agreement(
    policy: dict[str, Any], assigned: Handoff, due_at: list[str]
) -> None:
    assigner = DEFAULT_SECTIONS["sla"]["calendars"][0]
    late = {"id": "late", "zone": "UTC", "hours": {"wed": ["14:00-22:00"]}}
    sections = {
        "sla": {"calendars": [assigner, late], "policies": [{"id": "p", **POLICY, **policy}]}
    }

    notification = notifications.assignment(assigned, due(assigned, **sections), public_url=URL)

    assert [it["due_at"] for it in data(notification)["due"]] == due_at


@pytest.mark.parametrize(
    ("context", "gone"),
    [
        ({"recent": 40}, {"recent"}),
        ({"traits": 40}, {"recent", "traits"}),
        ({"card": 15}, {"recent"}),
        ({"card": 40}, {"recent", "traits", "reasons", "why_now", "lead_card"}),
        ({"reasons": 40}, {"recent", "traits", "reasons", "why_now"}),
        ({"name": 40}, {"recent", "traits", "reasons", "why_now", "name", "company"}),
    ],
)
def test_a_body_that_is_too_large_is_shortened_and_marked(
    context: dict[str, int], gone: set[str]
) -> None:
    long = "x" * 1000
    touch = Touch(id="1", type="page_viewed", time=NOON, title=long)
    recent = (touch,) * context.get("recent", 1)
    traits = {f"trait_{n}": long for n in range(context.get("traits", 1))}
    answers = (FormAnswer(field="f", label="F", text=long, at=NOON),) * context.get("card", 0)
    pages = (PageViews(path="/", views=1, weight=1.0, title=long * 4, last_at=NOON),)
    campaign = {f"c_{n}": long for n in range(context.get("reasons", 0))}
    lead = lead_qualified(
        context=LeadContext(
            email="ada@example.com",
            recent=recent,
            traits=traits,
            why_now=touch,
            name=long * context.get("name", 1),
            last_campaign=campaign,
            lead_card=LeadCard(
                form_answers=answers, pages=pages if answers else (), purchase_count=len(answers)
            ),
        )
    )

    notification = notifications.assignment(
        handoff()._replace(lead=lead), due(handoff()), public_url=URL
    )

    assert len(notification.body) < MAX_BYTES
    assert data(notification)["lead"]["shortened"] is True
    assert not gone & data(notification)["lead"].keys()
    assert data(notification)["lead"]["email"] == "ada@example.com"


def test_an_undelivered_notification_names_the_endpoint_and_keeps_its_data() -> None:
    original = notifications.assignment(handoff(), due(handoff()), public_url=URL)

    passed_on = notifications.undelivered(
        original, cause="c", endpoint="ops", state="exhausted", at=NOON
    )

    assert (passed_on.endpoint, passed_on.type) == ("ops", "handoff.undelivered")
    assert passed_on.id != original.id
    assert data(passed_on)["undelivered"] == {
        "type": "handoff.assigned",
        "endpoint": "rep/grace",
        "state": "exhausted",
    }
    assert data(passed_on)["lead"] == data(original)["lead"]


def test_what_a_lead_read_is_left_out_before_what_it_wrote() -> None:
    wrote = FormAnswer(field="pain", label="Pain", text="Nobody calls", at=NOON)
    page = PageViews(path="/", views=1, weight=1.0, title="x" * 20_000, last_at=NOON)
    context = LeadContext(
        email="ada@example.com", lead_card=LeadCard(form_answers=(wrote,), pages=(page,))
    )
    lead = lead_qualified(context=context)

    notification = notifications.assignment(
        handoff()._replace(lead=lead), due(handoff()), public_url=URL
    )

    lead_card = data(notification)["lead"]["lead_card"]
    assert len(notification.body) < MAX_BYTES
    assert [it["text"] for it in lead_card["form_answers"]] == ["Nobody calls"]
    assert "pages" not in lead_card


def test_a_lead_whose_card_another_writer_left_empty_is_shortened_too() -> None:
    lead = lead_qualified(context=LeadContext(email="ada@example.com", name="x" * 30_000))
    empty = encode(lead).replace(b'"email"', b'"lead_card":null,"email"', 1)

    notification = notifications.assignment(
        handoff()._replace(lead=lead, announced_json=empty), due(handoff()), public_url=URL
    )

    assert data(notification)["lead"]["email"] == "ada@example.com"
    assert data(notification)["lead"]["shortened"] is True
