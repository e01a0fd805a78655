"""Rows and records with values that are refused today are still read by every service."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, text

from services.scoring.handlers import review_leads
from shared.clock import utc_now
from shared.contracts.payloads import LeadContext, Touch
from shared.contracts.topic import Outgoing
from shared.contracts.topics import LEADS_QUALIFIED, MARKETING_EVENTS
from shared.messaging import outbox
from tests.builders import lead_qualified, marketing_event, outgoing
from tests.fuzz.installation import SECTIONS, Installation, running_installation
from tests.services.routing.builders import publishing

pytestmark = [pytest.mark.journey, pytest.mark.postgres]

HUGE = "9" * 400
ODD = "ODD"
"""A placeholder for an odd value in a payload."""

VALUES = {
    "400 digits": HUGE,
    "21 digits": "123456789012345678901",
    "a fraction with 400 digits": f"-{HUGE}.5",
    "beyond doubles": "1e5000",
    "a large double": "1e300",
    "a small double": "5e-324",
}
TEXTS = {"a zero": r'"a\u0000b"'}


@pytest.fixture
def installation(engine: Engine) -> Iterator[Installation]:
    """An installation of the test's own."""
    with running_installation(engine) as installation:
        yield installation


@pytest.mark.parametrize("value", [*VALUES.values(), *TEXTS.values()], ids=[*VALUES, *TEXTS])
def test_an_event_in_kafka_or_in_the_outbox(installation: Installation, value: str) -> None:
    odd = marketing_event(
        "demo_requested",
        time=utc_now(),
        traits={"company": ODD, "company_size": ODD, "tags": [ODD]},
        properties={"value": ODD, "in": [{"n": ODD}]},
        context={"page": {"title": ODD}, "campaign": {"name": ODD}},
    )
    installation_takes(installation, with_value(outgoing(MARKETING_EVENTS, odd), value))

    all_apis_read(installation)


@pytest.mark.parametrize("value", [*VALUES.values(), *TEXTS.values()], ids=[*VALUES, *TEXTS])
def test_a_qualification_in_kafka_or_in_the_outbox(installation: Installation, value: str) -> None:
    touch = Touch(id="1", type="demo_requested", time=utc_now(), properties={"n": ODD})
    context = LeadContext(email="ada@example.com", traits={"n": ODD}, recent=(touch,))
    qualified = lead_qualified(context=context, at=utc_now())
    installation_takes(installation, with_value(outgoing(LEADS_QUALIFIED, qualified), value))

    handoffs_are_read(installation)


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_what_lies_in_tables(installation: Installation, value: str) -> None:
    event = marketing_event("demo_requested", time=utc_now(), traits={"company_size": 1})
    installation_takes(installation, outgoing(MARKETING_EVENTS, event))
    installation.await_deliveries()
    profile = "{traits,company_size,2}"
    for table, column, path, kind in (
        ("scoring.events", "payload", "{properties,n}", "jsonb"),
        ("scoring.events", "payload", "{traits,company_size}", "jsonb"),
        ("scoring.leads", "profile", profile, "json"),
        ("routing.handoffs", "lead", "{context,traits,n}", "jsonb"),
    ):
        if column == "profile" and value == "1e5000":
            continue  # what scoring itself wrote never was beyond doubles
        run(
            installation,
            f"update {table} set {column} = cast(jsonb_set(cast({column} as jsonb), '{path}',"  # noqa: S608
            f" cast(:value as jsonb)) as {kind})",
            value=value,
        )
    run(installation, "update routing.deliveries set body = replace(encode(body, 'escape'),"
        " '\"traits\":{', :traits)::bytea, state = 'pending', endpoint = 'rep/eve'",
        traits=f'"traits":{{"n":{value},')  # fmt: skip

    with installation.sessions.begin() as session:
        publishing(session, **{**SECTIONS, "name": "Another"})
    installation_takes(
        installation,
        outgoing(MARKETING_EVENTS, marketing_event("page_viewed", time=utc_now())),
    )
    with installation.sessions.begin() as session:
        review_leads(session, utc_now() + timedelta(days=400), policies=installation.policies)

    all_apis_read(installation)


def with_value(record: Outgoing, value: str) -> Outgoing:
    """The record with this value in place of ODD."""
    value_bytes = record.value.replace(b'"ODD"', value.encode())
    assert value_bytes != record.value
    return Outgoing(record.topic, record.key, value_bytes, record.headers)


def installation_takes(installation: Installation, record: Outgoing) -> None:
    """Put the record into the outbox and let all services handle what follows."""
    with installation.sessions.begin() as session:
        outbox.append(session, [record])
    assert installation.pass_messages() == []


def all_apis_read(installation: Installation) -> None:
    """Read the lead, its events and its handoffs through the APIs."""
    lead = installation.scoring.get("/v1/leads", params={"email": "ada@example.com"})
    assert lead.status_code == 200, lead.text
    events = installation.scoring.get(f"/v1/leads/{lead.json()['id']}/events")
    assert events.status_code == 200, events.text
    assert installation.differences(None) is not None
    handoffs_are_read(installation)


def handoffs_are_read(installation: Installation) -> None:
    """Read each handoff, its deliveries and its clocks through the APIs."""
    installation.sweep()
    assert installation.pass_messages() == []
    installation.await_deliveries()
    assert installation.pass_messages() == []
    listed = installation.routing.get("/v1/handoffs")
    assert listed.status_code == 200, listed.text
    assert listed.json()["items"]
    for handoff in listed.json()["items"]:
        story: Any = installation.routing.get(f"/v1/handoffs/{handoff['id']}")
        assert story.status_code == 200, story.text
        assert {delivery["state"] for delivery in story.json()["deliveries"]} <= {
            "delivered",
            "exhausted",
        }
        assert orjson.loads(story.content)["decision"]
    assert installation.sla.get("/v1/sla/clocks").status_code == 200


def run(installation: Installation, statement: str, **values: str) -> None:
    """Change rows by this statement."""
    with installation.sessions.begin() as session:
        session.execute(text(statement), values)
