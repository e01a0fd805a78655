"""The days of teams behind a figure of capacity: page by page, narrowed, and as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from csv import DictReader
from datetime import date
from io import StringIO
from typing import Any

import pytest
from fastapi.testclient import TestClient

from shared.db.session import Sessions
from tests.services.alignment.capacity import EMEA, api_at_noon, get, plan, read

pytestmark = pytest.mark.postgres

NOVEMBER = [date(2026, 11, it) for it in range(1, 31)]


@pytest.fixture
def client(sessions: Sessions) -> Iterator[TestClient]:
    """The API at noon of 18 November, with a key of ops."""
    with api_at_noon(sessions) as client:
        yield client


def test_the_days_come_page_by_page_and_as_csv(client: TestClient, sessions: Sessions) -> None:
    with sessions.begin() as session:
        read(session, plan(), plan("emea", EMEA, unlimited=1))
    november: dict[str, Any] = {"period": "2026-11"}

    items: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        cursor: dict[str, Any] = {"after": after} if after else {}
        page = get(
            client,
            "/v1/alignment/capacity",
            limit=7,
            **november,
            **cursor,
        )
        items += page["items"]
        after = page["next"]

    assert [(it["on"], it["team"]) for it in items] == [
        (str(day), team) for day in NOVEMBER for team in ("emea", "inbound")
    ]
    assert items[0] == {
        "on": "2026-11-01", "team": "emea", "reps": 1, "leads": EMEA, "unlimited": 1,
    }  # fmt: skip
    text = client.get("/v1/alignment/capacity", params={"format": "csv", **november}).text
    rows = list(DictReader(StringIO(text, newline="")))
    assert [(it["on"], it["team"], it["leads"]) for it in rows] == [
        (it["on"], it["team"], str(it["leads"])) for it in items
    ]


@pytest.mark.parametrize(
    ("parameters", "count"),
    [
        ({"team": "emea"}, 1),
        ({"where": 'team != "emea"'}, 1),
        ({"where": 'team != "emea"', "team": "emea"}, 0),
        ({"where": "true"}, 2),
        ({}, 2),
        ({"team": "x" * 200}, 0),
    ],
)
def test_the_days_of_some_teams(
    client: TestClient, sessions: Sessions, parameters: dict[str, Any], count: int
) -> None:
    with sessions.begin() as session:
        read(session, plan(), plan("emea", EMEA))
    day: dict[str, Any] = {"since": "2026-11-30", "until": "2026-11-30"}

    assert len(get(client, "/v1/alignment/capacity", **day, **parameters)["items"]) == count


@pytest.mark.parametrize(
    ("parameters", "code", "status"),
    [
        ({"where": 'tier == "hot"'}, "bad_condition", 422),
        ({"where": "team =="}, "bad_condition", 422),
        ({"period": "yesterday"}, "bad_period", 422),
        ({"rep": "ada"}, "invalid_request", 422),
        ({"after": "x"}, "bad_cursor", 400),
    ],
)
def test_what_cannot_be_read_is_refused_in_plain_words(
    client: TestClient, parameters: dict[str, Any], code: str, status: int
) -> None:
    assert get(client, "/v1/alignment/capacity", status, **parameters)["code"] == code
