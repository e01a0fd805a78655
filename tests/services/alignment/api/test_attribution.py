"""What was won, divided among touches, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from csv import DictReader
from io import StringIO
from itertools import permutations
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from services.alignment.main import build_api
from services.alignment.queries.wins import won_handoffs
from shared.agreement.model import AttributionModel
from shared.agreement.store import publish
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.contracts.payloads import Change
from shared.contracts.touches import TouchCause
from shared.db.session import Sessions
from shared.db.time_range import ALWAYS
from tests.builders import DEFAULT_SECTIONS, NOON
from tests.services.alignment.builders import (
    after_noon,
    lead_touched,
    numbered,
    qualified,
    read,
    step,
)

pytestmark = pytest.mark.postgres


@pytest.fixture
def client(sessions: Sessions) -> Iterator[TestClient]:
    """The API with a key of ops. Ada's win has two touches, Emmy's none, and nobody knows what Kurt's is worth."""
    with sessions.begin() as session:
        publish(session, json.dumps(DEFAULT_SECTIONS), by="test", now=NOON)
        key = create_key(session, scope=KeyScope.OPS, subject="ops", now=NOON)
        worth: dict[str, dict[str, Any]] = {
            "ada": {"amount": 100.01, "currency": "EUR"},
            "emmy": {"amount": 50.0, "currency": "USD"},
            "kurt": {},
        }
        for lead, fields in worth.items():
            won = step(Change.WON, 9, lead=lead, **fields)
            read(session, qualified(lead), *numbered(step(Change.ASSIGNED, lead=lead), won))
        read(session, lead_touched("spring", "autumn"), lead_touched("spring", lead="kurt"))
    app = build_api(sessions, time_source=lambda: NOON)
    with TestClient(app, headers={"authorization": f"Bearer {key}"}) as client:
        yield client


def attribution(client: TestClient, status: int = 200, **parameters: Any) -> Any:
    got = client.get("/v1/attribution", params={"period": "2026-11", **parameters})
    assert got.status_code == status, got.text
    return got.json()


def test_seven_models_divide_what_was_won_to_the_cent(client: TestClient) -> None:
    report = attribution(client)

    assert (report["won"], report["wins_without_amount"], report["agreement_version"]) == (3, 1, 1)
    assert report["show"] == "w_shaped"
    autumn, spring, untouched = report["items"]
    assert (autumn["group"], autumn["first"], autumn["last"]) == ("autumn", 0, 100.01)
    assert (spring["group"], spring["first"], spring["last"]) == ("spring", 100.01, 0)
    assert {autumn["linear"], spring["linear"]} == {50.0, 50.01}
    assert (untouched["group"], untouched["is_touched"], untouched["currency"]) == (
        None,
        False,
        "USD",
    )
    for model in AttributionModel:
        assert round(100 * autumn[model]) + round(100 * spring[model]) == 10_001
        assert untouched[model] == 50.0


def test_channels_are_credited_too(client: TestClient) -> None:
    email, untouched = attribution(client, by="channel")["items"]

    assert (email["group"], email["time_decay"]) == ("email", 100.01)
    assert untouched["group"] is None


def test_another_period_has_won_nothing(client: TestClient) -> None:
    report = attribution(client, period="2026-10")

    assert (report["won"], report["items"]) == (0, [])


def test_attribution_as_csv(client: TestClient) -> None:
    got = client.get("/v1/attribution", params={"period": "2026-11", "format": "csv"})

    rows = list(DictReader(StringIO(got.text, newline="")))
    assert [(it["group"], it["last"]) for it in rows] == [
        ("autumn", "100.01"),
        ("spring", "0.0"),
        ("", "50.0"),
    ]


def test_the_later_announcement_of_touches_is_kept_in_whatever_order_they_come(
    session: Session,
) -> None:
    first = lead_touched("spring", cause=TouchCause.QUALIFIED, minute=0)
    closed = lead_touched("spring", "autumn")
    won = step(Change.WON, 9, amount=1.0, currency="EUR")
    read(session, *numbered(step(Change.ASSIGNED), won))

    for order in permutations([first, closed, first]):
        read(session, *order)

    [win] = [it.win for it in won_handoffs(session, ALWAYS, limit=10)]
    assert [it.campaign for it in win.touches] == ["spring", "autumn"]
    assert (win.won_at, win.known_at, win.cents) == (after_noon(9), after_noon(0), 100)
