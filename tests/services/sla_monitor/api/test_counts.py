"""Counts for the board, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from services.sla_monitor.queries.counts import MAX_SOON
from shared.auth.keys import KeyScope
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from tests.services.sla_monitor.api.clients import SlaClient, client_with_key
from tests.services.sla_monitor.builders import (
    JOURNEY,
    TOUCH,
    due,
    handle_changes,
    minutes_after_noon,
    publish_policies,
    step,
    store,
)

pytestmark = pytest.mark.postgres


def test_open_clocks_are_counted_in_all_by_team_and_by_rep(ops: SlaClient) -> None:
    got = ops.get("counts")

    # Ada's touch is broken, her slow one and Alan's touch are at risk; Alan's slow one is due at 14:31.
    whole = {"open_breaches": 1, "at_risk": 2, "due_soon": 2, "running": 3, "paused": 0}
    assert got.items() >= {**whole, "has_more_due_soon": False}.items()
    assert got["teams"] == [{"team": "sales", "rep": None, **whole}]
    assert got["reps"] == [
        {
            "team": "sales",
            "rep": "ada",
            "open_breaches": 1,
            "at_risk": 1,
            "due_soon": 1,
            "running": 1,
            "paused": 0,
        },
        {
            "team": "sales",
            "rep": "alan",
            "open_breaches": 0,
            "at_risk": 1,
            "due_soon": 1,
            "running": 2,
            "paused": 0,
        },
    ]


def test_counts_agree_with_the_lists(ops: SlaClient) -> None:
    got = ops.get("counts")
    assert got["open_breaches"] == len(ops.ids("breaches"))
    assert got["at_risk"] == len(ops.ids("at-risk"))
    assert got["running"] == len(ops.ids("upcoming"))
    assert got["due_soon"] == len(ops.ids("upcoming", until="2026-11-18T14:30:00.000001Z"))


@pytest.mark.parametrize(
    ("filters", "breaches", "running"),
    [
        ({"team": "sales"}, 1, 3),
        ({"team": "others"}, 0, 0),
        ({"rep": "alan"}, 0, 2),
        ({"tier": "enterprise"}, 1, 1),
        ({"kind": "accept"}, 0, 0),
        ({"scope": "journey"}, 0, 0),
    ],
    ids=str,
)
def test_counts_are_narrowed(
    ops: SlaClient, filters: dict[str, Any], breaches: int, running: int
) -> None:
    got = ops.get("counts", **filters)
    assert (got["open_breaches"], got["running"]) == (breaches, running)


def test_a_rep_counts_the_promises_of_their_own_hops(
    client: TestClient, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        publish_policies(session, TOUCH, JOURNEY)
        handle_changes(session, step(Change.ASSIGNED), minute=5)
        handle_changes(session, step(Change.ASSIGNED, lead="else", rep="linus"), minute=5)
    grace = client_with_key(client, sessions, KeyScope.REP, "grace")
    ops = client_with_key(client, sessions, KeyScope.OPS, "ops")

    assert ops.get("counts")["running"] == 4
    assert grace.get("counts")["running"] == 1
    assert [it["rep"] for it in grace.get("counts", rep="linus")["reps"]] == ["grace"]
    assert grace.get("counts", status=422, scope="journey")["code"] == "invalid_request"
    assert grace.get("recent", status=403)["code"] == "wrong_scope"


def test_more_than_a_thousand_that_are_due_soon_are_not_counted(
    client: TestClient, sessions: Sessions
) -> None:
    at = minutes_after_noon(100)
    store(sessions, *(due(n, at + timedelta(seconds=n)) for n in range(MAX_SOON + 20)))
    ops = client_with_key(client, sessions, KeyScope.OPS, "ops")

    got = ops.get("counts")

    assert (got["due_soon"], got["has_more_due_soon"]) == (MAX_SOON, True)


def test_timers_that_no_sweep_has_fired_are_counted(client: TestClient, sessions: Sessions) -> None:
    ops = client_with_key(client, sessions, KeyScope.OPS, "ops")
    before = ops.get("counts")["overdue_timers"]
    store(sessions, *(due(n, minutes_after_noon(60)) for n in range(3)))

    assert ops.get("counts")["overdue_timers"] == before + 3


def test_what_was_kept_and_broken_is_counted_every_five_minutes(ops: SlaClient) -> None:
    items = ops.get("recent", hours=2)["items"]

    assert len(items) == 24
    assert (items[0]["since"], items[-1]["since"]) == (
        "2026-11-18T11:35:00Z",
        "2026-11-18T13:30:00Z",
    )
    counted = {
        it["since"]: (it["met"], it["breached"]) for it in items if it["met"] + it["breached"]
    }
    assert counted == {
        "2026-11-18T12:20:00Z": (2, 0),  # Grace's answer keeps both of her promises
        "2026-11-18T13:00:00Z": (0, 2),
        "2026-11-18T13:10:00Z": (1, 0),  # Linus's answer keeps the slower one
    }
    assert ops.get("recent", team="others")["items"] == [
        {**it, "met": 0, "breached": 0} for it in items[12:]
    ]
    assert ops.get("recent", status=422, hours=25)["code"] == "invalid_request"
