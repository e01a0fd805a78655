"""No value of a parameter, a path or a cursor is too much for an API: it answers, or says what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from services.alignment.api import spend
from services.alignment.api.behind import LeadParameters
from services.alignment.api.wins import WinParameters
from services.routing.api import agreement, deliveries, handoffs
from services.scoring.api import events, rejections
from services.sla_monitor.api.list_parameters import (
    BreachListParameters,
    ClockListParameters,
    ListParameters,
    UpcomingListParameters,
)
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.db.session import Sessions
from shared.http.pages import Cursor
from tests.builders import NOON
from tests.services.apis import Operation, apis_on, operations
from tests.services.sla_monitor.builders import TOUCH, publish_policies

pytestmark = pytest.mark.postgres

VALUES = {
    "nothing": "",
    "a NUL": "a%00b",
    "half a pair": "%ED%A0%80",
    "no UTF-8": "%FF%FE",
    "half an escape": "%",
    "an emoji": "%F0%9F%8E%89",
    "a quote": "'%20or%201=1--",
    "a path": "..%2F..%2Fetc",
    "long": "x" * 10_000,
    "zero": "0",
    "negative": "-1",
    "beyond 32 bits": "2147483648",
    "beyond 64 bits": "9223372036854775808",
    "beyond everything": "9" * 400,
    "infinite": "1e999",
    "no number": "NaN",
    "the first instant": "0001-01-01T00:00:00%2B14:00",
    "the last instant": "9999-12-31T23:59:59.999999-14:00",
    "the first date": "0001-01-01",
    "the last date": "9999-12-31",
    "no date": "2026-02-30",
    "nobody": "00000000-0000-0000-0000-000000000000",
    "JSON": "%7B%22a%22:%5B%5D%7D",
}

CURSORS: dict[str, Cursor[Any]] = {
    "handoffs": handoffs.CURSOR,
    "deliveries": deliveries.CURSOR,
    "agreement versions": agreement.CURSOR,
    "events": events.CURSOR,
    "rejections": rejections.CURSOR,
    "breaches": BreachListParameters.cursor,
    "clocks": ClockListParameters.cursor,
    "at risk": ListParameters.cursor,
    "upcoming": UpcomingListParameters.cursor,
    "alignment": LeadParameters.cursor,
    "wins": WinParameters.cursor,
    "spend": spend.CURSOR,
}


@pytest.fixture(scope="module")
def clients(module_sessions: Sessions) -> dict[str, TestClient]:
    """A client of each API, with a key for everything; an agreement is published."""
    with module_sessions.begin() as session:
        publish_policies(session, TOUCH)
        key = create_key(session, scope=KeyScope.OPS, subject="ops", now=NOON)
    headers = {"authorization": f"Bearer {key}"}
    return {
        name: TestClient(app, headers=headers, raise_server_exceptions=False)
        for name, app in apis_on(module_sessions).items()
    }


def requests(operation: Operation, value: str) -> Iterator[str]:
    """The operation's address with the value in each of its parameters in turn."""
    nobody = VALUES["nobody"]
    for location, name in operation.parameters:
        path = (
            operation.path.replace(f"{{{name}}}", value) if location == "path" else operation.path
        )
        for other_location, other_name in operation.parameters:
            if other_location == "path":
                path = path.replace(f"{{{other_name}}}", nobody)
        yield path if location == "path" else f"{path}?{name}={value}"


@pytest.mark.parametrize("api", ["scoring", "routing", "sla", "alignment"])
def test_every_parameter_takes_any_value_or_says_what_is_wrong(
    clients: dict[str, TestClient], api: str
) -> None:
    requested = 0
    for operation in (it for it in operations() if it.api == api):
        for url in (it for value in VALUES.values() for it in requests(operation, value)):
            answer = clients[api].request(operation.method, url)
            requested += 1
            assert answer.status_code < 500, (operation.method, url[:200], answer.text)
            if answer.status_code >= 400:
                assert answer.headers["content-type"] == "application/problem+json"
                assert {"code", "message"} <= answer.json().keys()
                assert len(answer.content) < 4_000, "an error repeats what was sent"
    assert requested > 10 * len(VALUES)


@pytest.mark.parametrize("name", CURSORS)
def test_a_cursor_that_no_list_gave_is_refused(clients: dict[str, TestClient], name: str) -> None:
    forged = CURSORS[name].encode("0001-01-01T00:00:00+14:00", 2**63, "a\x00", "b")
    lists = [it for it in operations() if ("query", "after") in it.parameters]

    answers = [
        clients[it.api].get(
            it.path.replace("{lead_id}", VALUES["nobody"]).replace("{id}", VALUES["nobody"]),
            params={"after": forged},
        )
        for it in lists
    ]

    codes = [it.json()["code"] for it in answers]
    assert len(codes) >= len(CURSORS)
    others = sorted(it for it in codes if it != "bad_cursor")
    assert others == ["invalid_request", "unknown_lead", "unknown_reroute"]  # a preview has ids


@pytest.mark.parametrize(
    ("api", "path"),
    [
        ("routing", "/v1/handoffs?sate=won"),
        ("routing", "/v1/deliveries?handof=x"),
        ("scoring", "/v1/leads?emial=ada@example.com"),
        ("scoring", "/v1/rejections?sorce=site"),
        ("sla", "/v1/sla/breaches?taem=inbound"),
        ("sla", "/v1/sla/attainment?taem=inbound"),
        ("alignment", "/v1/alignment?taem=inbound"),
        ("alignment", "/v1/alignment/leads?stagee=won"),
    ],
)
def test_a_parameter_that_does_not_exist_is_named(
    clients: dict[str, TestClient], api: str, path: str
) -> None:
    answer = clients[api].get(path)

    assert answer.status_code == 422
    assert path.partition("?")[2].partition("=")[0] in answer.json()["message"]
