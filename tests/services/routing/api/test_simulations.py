"""Leads that were routed are run through a draft of the agreement, without effect."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient

from services.routing.main import build_api
from shared.contracts.payloads import LeadContext
from shared.db.session import Sessions
from tests.builders import DEFAULT_SECTIONS, NOON, lead_qualified
from tests.services.routing.builders import build_assigner, entry, importing, qualifying
from tests.services.routing.client import ADA, NOW, RoutingClient

pytestmark = pytest.mark.postgres

ROUTING = DEFAULT_SECTIONS["routing"]
BY_COUNTRY = {
    **ROUTING,
    "teams": [*ROUTING["teams"], {"id": "north", "calendar": "office"}],
    "rules": [
        {"id": "finns", "when": 'lead.country == "FI"', "team": "north"},
        *ROUTING["rules"],
    ],
}


def draft(**sections: Any) -> str:
    return orjson.dumps({**DEFAULT_SECTIONS, **sections}).decode()


@pytest.fixture
def client(sessions: Sessions) -> Iterator[RoutingClient]:
    """Grace has Ada, who is from Finland, and Bob, who is not; Old qualified ten days ago. Nora is in the north."""
    with sessions.begin() as session:
        assigner = build_assigner(session)
        finn: dict[str, Any] = {
            "traits": {"country": "FI"},
            "context": LeadContext(traits={"country": "FI"}),
        }
        leads = [
            lead_qualified(lead="ada", **finn),
            lead_qualified(lead="bob"),
            lead_qualified(lead="old", at=NOON - timedelta(days=10), **finn),
        ]
        importing(session, entry("grace"), entry("nora", team="north"))
        qualifying(session, assigner, *leads)
    with TestClient(build_api(sessions, time_source=lambda: NOW)) as http_client:
        yield RoutingClient(http_client, sessions)


def simulate(client: RoutingClient, *, status: int = 200, **body: Any) -> Any:
    before = client.announced_changes()
    simulated = client.post("/routing/simulate", body, by="ops", status=status)
    assert client.announced_changes() == before
    return simulated


def test_the_leads_of_the_last_days_are_compared_by_rule_and_team(client: RoutingClient) -> None:
    simulated = simulate(client, source=draft(routing=BY_COUNTRY))

    assert (simulated["leads"], simulated["moved"], simulated["selection"]) == (2, 1, None)
    moves = {(it["new_rule"], it["new_team"]): it["leads"] for it in simulated["moves"]}
    assert moves == {("finns", "north"): 1, ("everybody", "sales"): 1}
    assert {(it["rule"], it["team"]) for it in simulated["moves"]} == {("everybody", "sales")}
    [example] = simulated["examples"]
    assert (example["handoff_id"], example["rep"], example["new_team"]) == (
        str(ADA),
        "grace",
        "north",
    )

    assert simulate(client, source=draft(routing=BY_COUNTRY), days=30)["moved"] == 2
    assert simulate(client, source=draft())["moved"] == 0


def test_one_lead_is_shown_with_its_rules_and_whom_the_draft_would_choose(
    client: RoutingClient,
) -> None:
    simulated = simulate(client, source=draft(routing=BY_COUNTRY), handoff=str(ADA))

    selection = simulated["selection"]
    assert (simulated["leads"], simulated["moved"], selection["rep"]) == (1, 1, "nora")
    assert selection["rules"] == [{"rule": "finns", "held": True}]
    assert [it["rep"] for it in selection["candidates"]] == ["nora"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"source": "leadbaton: 1\n"}, 422, "invalid_agreement"),
        ({"source": draft(), "handoff": "6f1f2f0e-5f0d-4a53-9d0f-2b8d3c1a7e42"}, 404, "unknown_handoff"),
        ({"source": draft(), "days": 91}, 422, "invalid_request"),
    ],
)  # fmt: skip
def test_what_cannot_be_simulated_says_why(
    client: RoutingClient, body: Any, status: int, code: str
) -> None:
    assert simulate(client, status=status, **body)["code"] == code
