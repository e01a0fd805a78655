"""Every list of the SLA monitor as CSV, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from fastapi.testclient import TestClient

from shared.auth.keys import KeyScope
from shared.db.session import Sessions
from shared.http.csv_tables import MAX_CSV_ROWS
from tests.services.sla_monitor.api.clients import SlaClient, client_with_key
from tests.services.sla_monitor.builders import due, minutes_after_noon, store

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("breaches", {"state": "all"}),
        ("at-risk", {}),
        ("upcoming", {}),
        ("clocks", {}),
        ("attainment", {"by": "rep"}),
    ],
)
def test_a_list_as_csv_has_what_it_has_as_json(
    ops: SlaClient, path: str, parameters: dict[str, Any]
) -> None:
    items = ops.get(path, **parameters)["items"]

    headers, rows = ops.csv(path, format="csv", **parameters)

    assert headers["content-disposition"] == f'attachment; filename="{path}.csv"'
    assert "link" not in headers
    same = ("id", "rep", "outcome", "group", "promised")
    assert [{name: row.get(name) for name in same} for row in rows] == [
        {name: str(item[name]) if name in item else None for name in same} for item in items
    ]
    assert len(rows) > 1


def test_the_header_accept_asks_for_csv_too(ops: SlaClient) -> None:
    [row] = ops.csv("breaches", accept="text/csv")[1]
    assert (row["rep"], row["lead_name"], row["due_at"]) == (
        "ada",
        "ada's lead",
        "2026-11-18T13:00:00+00:00",
    )


def test_a_note_cannot_become_a_formula(ops: SlaClient) -> None:
    [breach] = ops.get("breaches")["items"]
    ops.post(f"clocks/{breach['id']}/acknowledge", note="=1+1")
    [row] = ops.csv("breaches", format="csv")[1]
    assert row["note"] == "'=1+1"


def test_counts_and_series_are_tables_too(ops: SlaClient) -> None:
    counts = ops.csv("counts", format="csv")[1]
    assert [(it["rep"], it["open_breaches"]) for it in counts] == [("ada", "1"), ("alan", "0")]
    recent = ops.csv("recent", format="csv")[1]
    assert (len(recent), list(recent[0])) == (12, ["since", "met", "breached"])
    [day] = ops.csv("attainment/daily", format="csv")[1]
    assert (day["on"], day["group"], day["first_touch_answers"], day["accept_answers"]) == (
        "2026-11-18",
        "sales",
        "4",
        "",
    )


def test_a_long_list_is_read_part_by_part(client: TestClient, sessions: Sessions) -> None:
    count = MAX_CSV_ROWS + 5
    first = minutes_after_noon(100)
    store(sessions, *(due(n, first + timedelta(seconds=n)) for n in range(count)))
    ops = client_with_key(client, sessions, KeyScope.OPS, "ops")

    headers, rows = ops.csv("upcoming", format="csv", limit=1, team="sales")

    assert len(rows) == MAX_CSV_ROWS
    query = headers["link"].removeprefix("<?").removesuffix('>; rel="next"')
    more_headers, more = ops.csv("upcoming", **dict(parse_qsl(query)))
    assert len({it["id"] for it in (*rows, *more)}) == count
    assert "link" not in more_headers
