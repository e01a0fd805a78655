"""Leads with their scores, over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from services.scoring.domain.identifiers import normal_email
from shared.auth.keys import KeyScope
from shared.db.session import Sessions
from tests.builders import NOON, marketing_event, minutes
from tests.services.scoring.api.clients import LeadClient, client_with_key
from tests.services.scoring.conftest import Worker

pytestmark = pytest.mark.postgres


def test_a_lead_shows_its_numbers_now_and_the_parts_that_sum_to_them(ops: LeadClient) -> None:
    ada = ops.get(email=" Ada@Example.com ")

    assert (ada["stage"], ada["email"], ada["account"]) == (
        "engaged",
        "ada@example.com",
        "example.com",
    )
    assert (ada["fit"], ada["grade"], ada["agreement_version"]) == (40.0, "C3", 1)
    assert 28.0 < ada["engagement"] < 29.0  # 15 after a half-life of 7 days, 30 after half of 14
    parts = sum(part["points"] for part in ada["engagement_reasons"])
    assert parts == pytest.approx(ada["engagement"], abs=1e-9)
    assert [step["stage"] for step in ada["steps"]] == ["known", "engaged"]
    assert len(ada["identities"]) == 4


@pytest.mark.parametrize(
    "params",
    [
        {"email": "ada@example.com"},
        {"email": " ADA\u200b@Example.com\ufeff"},
        {"phone": "+525512345678"},
        {"phone": "+52 1 (55) 1234-5678"},
        {"phone": " 52 55 1234 5678"},
        {"phone": "0052 55 1234 5678"},
        {"user_id": " u\u200b", "source": "website"},
        {"anonymous_id": "a\u00a0", "source": "website"},
    ],
)
def test_a_lead_is_found_by_each_of_its_identities(ops: LeadClient, params: dict[str, Any]) -> None:
    assert ops.get(**params)["email"] == "ada@example.com"


@pytest.mark.parametrize(
    ("stored", "spelling"),
    [
        ("ada+news@example.com", "ada news@example.com"),
        ("ada@bücher.example", "Ada@xn--bcher-kva.example"),
        ("zoë@example.com", "zoe\u0308@example.com"),
    ],
    ids=["plus", "punycode", "decomposed"],
)
def test_an_address_is_found_in_any_spelling(
    ops: LeadClient, sessions: Sessions, stored: str, spelling: str
) -> None:
    with sessions.begin() as session:
        Worker(session).take(marketing_event(email=normal_email(stored)))

    assert ops.get(email=spelling)["email"] == normal_email(stored)


@pytest.mark.parametrize(
    ("params", "part"),
    [
        ({"email": "Nobody@Example.com"}, "the e-mail address nobody@example.com;"),
        ({"email": "no address"}, "the e-mail address 'no address', which is not valid"),
        ({"phone": "+49 30 901820"}, "the phone number +4930901820;"),
        ({"phone": "12"}, "the phone number '12', which is not valid"),
        ({"user_id": "x", "source": "website"}, "the user id x of the source website;"),
        ({"anonymous_id": "y", "source": "app"}, "the anonymous id y of the source app;"),
        ({"user_id": "null", "source": "app"}, "the user id 'null', which is not valid"),
    ],
)
def test_a_404_says_what_was_looked_for(ops: LeadClient, params: dict[str, str], part: str) -> None:
    refused = ops.get(status=404, **params)

    assert refused["code"] == "unknown_lead"
    assert part in refused["message"]


def test_a_lead_that_was_merged_away_is_the_one_that_stayed(
    ops: LeadClient, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        Worker(session).take(
            marketing_event(email=None, user_id="phone-app", time=NOON + minutes(9))
        )
    before = ops.get(user_id="phone-app", source="website")["id"]
    with sessions.begin() as session:
        Worker(session).take(marketing_event(user_id="phone-app"))

    assert ops.get(f"/{before}")["id"] == ops.get(email="ada@example.com")["id"] != before


@pytest.mark.parametrize(
    ("path", "params", "status", "code"),
    [
        (f"/{uuid4()}", {}, 404, "unknown_lead"),
        (f"/{uuid4()}/events", {}, 404, "unknown_lead"),
        ("", {"email": "nobody@example.com"}, 404, "unknown_lead"),
        ("", {"source": "website"}, 400, "no_identity"),
        ("", {"user_id": "u"}, 400, "no_identity"),
        ("", {"anonymous_id": "a"}, 400, "no_identity"),
        ("/seven", {}, 422, "invalid_request"),
    ],
    ids=["id", "events", "email", "nothing", "no-source", "no-source-either", "no-uuid"],
)
def test_an_unknown_lead_is_a_problem_that_says_so(
    ops: LeadClient, path: str, params: dict[str, str], status: int, code: str
) -> None:
    assert ops.get(path, status, **params)["code"] == code


def test_a_key_for_ingest_may_not_read_leads(
    client: TestClient, sessions: Sessions, ops: LeadClient
) -> None:
    del ops
    refused = client_with_key(client, sessions, KeyScope.INGEST).get(
        status=403, email="ada@example.com"
    )

    assert refused["code"] == "wrong_scope"


def test_a_lead_shows_what_a_rep_would_read(sessions: Sessions, ops: LeadClient) -> None:
    with sessions.begin() as session:
        worker = Worker(session)
        worker.publish(lead_card={"questions": [{"field": "pain", "label": "What hurts"}]})
        worker.take(
            marketing_event("form", properties={"pain": "Nobody calls"}),
            marketing_event(properties={"path": "/pricing"}),
        )

    lead_card = ops.get(email="ada@example.com")["lead_card"]

    assert [(it["label"], it["text"]) for it in lead_card["form_answers"]] == [
        ("What hurts", "Nobody calls")
    ]
    assert "/pricing" in [it["path"] for it in lead_card["pages"]]
    assert lead_card["consent"] is None
