"""Explanations of clocks, over HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from services.sla_monitor.handlers.due_clocks import fire_due_clocks
from shared.auth.keys import KeyScope
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from tests.builders import NOON, an_id
from tests.services.sla_monitor.api.clients import SlaClient, client_with_key
from tests.services.sla_monitor.builders import (
    handle_changes,
    minutes_after_noon,
    numbered,
    paused,
    policy,
    publish_policies,
    resumed,
    step,
)

pytestmark = pytest.mark.postgres


def test_a_clock_explains_itself(ops: SlaClient) -> None:
    [breach] = ops.get("breaches")["items"]
    explanation = ops.get(f"clocks/{breach['id']}/explain")
    assert explanation["intervals"] == [
        {"since": "2026-11-18T12:00:00Z", "until": "2026-11-18T13:00:00Z", "seconds": 3600.0}
    ]
    assert explanation["counted_s"] == explanation["target_s"] == 3600
    assert (explanation["spent_s"], explanation["overdue_business_s"]) == (5400, 1800)
    assert (explanation["zone"], explanation["calendar"], explanation["agreement_version"]) == (
        "UTC",
        "office",
        1,
    )
    assert explanation["holidays"] == []
    assert explanation["overdue_intervals"] == [
        {"since": "2026-11-18T13:00:00Z", "until": "2026-11-18T13:30:00Z", "seconds": 1800.0}
    ]
    at_once = {
        "at": "2026-11-18T13:00:00Z",
        "step": "team",
        "waits": False,
        "lasts_s": 0,
        "is_done": True,
    }
    assert explanation["escalation_steps"] == [at_once]


def test_an_explanation_has_the_steps_of_the_ladder(client: TestClient, sessions: Sessions) -> None:
    ladder = [{"after": "15m", "notify": "ops"}, {"after": "1h", "notify": "team"}]
    with sessions.begin() as session:
        publish_policies(session, policy("touch", ladder=ladder))
        handle_changes(session, step(Change.ASSIGNED))
        fire_due_clocks(session, now=minutes_after_noon(80))
    ops = client_with_key(client, sessions, KeyScope.OPS, "ops")
    [clock] = ops.get("breaches")["items"]

    steps = ops.get(f"clocks/{clock['id']}/explain")["escalation_steps"]

    assert steps == [
        {
            "at": "2026-11-18T13:15:00Z",
            "step": "ops",
            "waits": False,
            "lasts_s": 0,
            "is_done": True,
        },
        {
            "at": "2026-11-18T14:00:00Z",
            "step": "team",
            "waits": False,
            "lasts_s": 0,
            "is_done": False,
        },
    ]


def test_an_unknown_clock_is_a_404(ops: SlaClient) -> None:
    assert ops.get(f"clocks/{an_id('none')}/explain", status=404)["code"] == "unknown_clock"


def test_holidays_are_named(client: TestClient, sessions: Sessions) -> None:
    christmas = NOON + timedelta(days=36, hours=4)  # 24 December, 16:00
    with sessions.begin() as session:
        publish_policies(session, policy("touch", target="2h"), holidays="DE")
        handle_changes(session, step(Change.ASSIGNED, assigned_at=christmas))
    ops = client_with_key(client, sessions, KeyScope.OPS, "ops")
    [clock] = ops.get("clocks")["items"]
    explanation = ops.get(f"clocks/{clock['id']}/explain")
    assert explanation["holidays"] == [{"on": "2026-12-25", "holiday": "Christmas Day"}]
    assert explanation["due_at"] == "2026-12-28T10:00:00Z"


def test_breaks_that_did_not_count_are_listed(client: TestClient, sessions: Sessions) -> None:
    breaks = {"wed": ["12:15-12:45", "16:00-16:15"]}
    with sessions.begin() as session:
        publish_policies(session, policy("touch", target="1h"), breaks=breaks)
        handle_changes(session, step(Change.ASSIGNED))
    ops = client_with_key(client, sessions, KeyScope.OPS, "ops")
    [clock] = ops.get("clocks")["items"]
    explanation = ops.get(f"clocks/{clock['id']}/explain")
    assert explanation["due_at"] == "2026-11-18T13:30:00Z"
    assert explanation["breaks"] == [
        {"since": "2026-11-18T12:15:00Z", "until": "2026-11-18T12:45:00Z", "seconds": 1800.0}
    ]
    assert explanation["counted_s"] == 3600


def test_pauses_are_explained_and_a_clock_says_that_it_is_paused(
    client: TestClient, sessions: Sessions
) -> None:
    steps = [step(Change.ASSIGNED), paused(10), resumed(20), paused(80, 600, actor="rep/grace")]
    with sessions.begin() as session:
        publish_policies(session, policy("touch", target="2h"))
        handle_changes(session, *numbered(*steps), minute=85)
    ops = client_with_key(client, sessions, KeyScope.OPS, "ops")
    [clock] = ops.get("clocks", state="paused")["items"]
    assert ops.get("clocks", state="running")["items"] == []
    assert (clock["state"], clock["outcome"], clock["paused_until"]) == (
        "paused",
        "paused",
        "2026-11-18T23:20:00Z",
    )
    assert clock["due_at"] == "2026-11-19T09:50:00Z"
    assert ops.get("counts").items() >= {"paused": 1, "running": 0, "at_risk": 0}.items()

    explanation = ops.get(f"clocks/{clock['id']}/explain")

    assert explanation["pauses"] == [
        {
            "since": "2026-11-18T12:10:00Z",
            "until": "2026-11-18T12:20:00Z",
            "reason": "later",
            "actor": None,
            "ended_by": "resumed",
            "seconds": 600.0,
        },
        {
            "since": "2026-11-18T13:20:00Z",
            "until": "2026-11-18T23:20:00Z",
            "reason": "later",
            "actor": "rep/grace",
            "ended_by": None,
            "seconds": 13200.0,
        },
    ]
    assert [it["seconds"] for it in explanation["intervals"]] == [600.0, 3600.0, 3000.0]
    assert (explanation["counted_s"], explanation["spent_s"]) == (7200.0, 4200.0)
