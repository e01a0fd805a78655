"""Ids, accounts, objects and marks in events of Segment's clients."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from shared.contracts.payloads import Identity
from shared.db.session import Sessions
from tests.services.scoring.ingest.conftest import NOON, Broker, api
from tests.services.scoring.ingest.formats.test_segment import track

pytestmark = pytest.mark.postgres


def test_without_a_message_id_the_content_is_the_id(client: TestClient, broker: Broker) -> None:
    for number, sent_at in [(1, "2026-12-01T11:00:00Z"), (1, "2026-12-01T11:00:09Z"), (2, None)]:
        client.post("/v1/track", json={**track(messageId=None, n=number), "sentAt": sent_at})
    first, retried, other_id = (it.id for it in broker.events)
    assert first == retried != other_id
    deep: Any = []
    for _ in range(300):
        deep = [deep]
    assert client.post("/v1/track", json=track(messageId="", x=deep)).status_code == 200
    assert len(broker.records) == 3


HOUR_LATER = NOON + timedelta(hours=1)
TIME = "2026-12-01T11:00:00Z"


@pytest.mark.parametrize(
    ("item", "envelope", "is_one"),
    [
        ({}, {}, False),
        ({"timestamp": TIME}, {}, True),
        ({"originalTimestamp": TIME}, {}, True),
        ({}, {"timestamp": TIME}, True),
    ],
    ids=["without a time", "timestamp", "originalTimestamp", "the batch's"],
)
def test_equal_content_with_a_time_is_one_event_for_ever(
    sessions: Sessions, broker: Broker, key: str, item: Any, envelope: Any, *, is_one: bool
) -> None:
    arrivals = [NOON, HOUR_LATER]
    app = api(sessions, broker, time_source=lambda: arrivals[len(broker.records)])
    for _ in arrivals:
        body = {"batch": [track(messageId=None, **item)], **envelope}
        TestClient(app, headers={"x-write-key": key}).post("/v1/batch", json=body)

    first, second = (it.id for it in broker.events)
    assert (first == second) is is_one


@pytest.mark.parametrize(
    ("traits", "account"),
    [
        ({"domain": "shop.acme.co.uk", "website": "https://other.com"}, "acme.co.uk"),
        ({"website": " https://www.acme.com/about "}, "acme.com"),
        ({"domain": "gmail.com", "website": "https://acme.com"}, "acme.com"),
        ({"website": "localhost"}, "g-1"),
        ({"domain": 7}, "g-1"),
        ({"account": "acme.de"}, "acme.de"),
        ({}, "g-1"),
    ],
)
def test_a_group_makes_the_account(
    client: TestClient, broker: Broker, traits: Any, account: str
) -> None:
    client.post("/v1/group", json={"userId": "u-1", "groupId": "g-1", "traits": traits})
    assert broker.event.traits["account"] == account


def test_the_objects_that_segment_reserves_become_traits(
    client: TestClient, broker: Broker
) -> None:
    traits = {
        "company": {"name": "Acme ", "industry": "software", "employeeCount": 50, "!": 1},
        "address": {"city": "Berlin", "postalCode": "10115", "lines": [" a", 1]},
        "companyIndustry": "retail",
        "company_plan": {"name": "team"},
    }
    client.post("/v1/identify", json={"userId": "u-1", "traits": traits})

    assert broker.event.traits == {
        "company": "Acme",
        "company_name": "Acme",
        "company_industry": "retail",
        "company_employee_count": 50,
        "address_city": "Berlin",
        "address_postal_code": "10115",
        "address_lines": ["a", 1],
        "company_plan": {"name": "team"},
    }
    client.post("/v1/identify", json={"userId": "u-1", "traits": {"company": {"id": 7}}})
    assert broker.events[-1].traits == {"company_id": 7}


def test_marks_that_nobody_sees_are_no_part_of_a_person(client: TestClient, broker: Broker) -> None:
    traits = {
        "email": "\ufeffada\u200b@acme.example\u00a0",
        "phone": "\u202a+49 30 90\u00ad1820\u202c",
        "city": "\u3000New\u200bYork\u2060",
    }
    item = {"userId": "\u200bu-1\ufeff", "anonymousId": "a\u200d-1", "traits": traits}
    client.post("/v1/identify", json=item)

    assert broker.event.identity == Identity(
        email="ada@acme.example", phone="+4930901820", user_id="u-1", anonymous_id="a-1"
    )
    assert broker.event.traits["city"] == "New\u200bYork"
