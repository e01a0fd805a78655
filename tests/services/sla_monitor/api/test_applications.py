"""The agreement in force is applied to running clocks, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from services.sla_monitor.domain.applications import Effect
from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.handlers.applications import advance_application
from shared.agreement.store import Policies
from shared.auth.keys import KeyScope
from shared.db.session import Sessions
from tests.builders import an_id
from tests.services.sla_monitor.api.clients import SlaClient, client_with_key
from tests.services.sla_monitor.builders import TOUCH, minutes_after_noon, policy, publish_policies

pytestmark = pytest.mark.postgres


@pytest.fixture
def changed(ops: SlaClient, sessions: Sessions) -> SlaClient:
    """At 13:30, with a version in force that the clocks do not count by: without `slow`, and with two hours."""
    with sessions.begin() as session:
        publish_policies(session, policy("touch", target="2h"))
    return ops


def counted(**effects: int) -> dict[str, int]:
    return {effect.value: effects.get(effect.value, 0) for effect in Effect}


def advance(sessions: Sessions) -> None:
    policies = Policies(SlaPolicy)
    advanced = True
    while advanced:
        with sessions.begin() as session:
            advanced = advance_application(
                session, policies, time_source=lambda: minutes_after_noon(90)
            )


def test_a_preview_counts_effects_and_changes_nothing(changed: SlaClient) -> None:
    before = changed.get("clocks")

    preview = changed.get("applications/preview")

    assert (preview["agreement_version"], preview["policy"], preview["next"]) == (2, None, None)
    assert preview["effects"] == counted(kept=1, later=1, cancelled=2)
    assert (preview["handoffs"], preview["clocks"]) == (2, 4)
    [later] = [it for it in preview["examples"] if it["effect"] == "later"]
    assert later.items() >= {"rep": "alan", "policy": "touch", "agreement_version": 1}.items()
    assert (later["due_at"], later["new_due_at"]) == (
        "2026-11-18T13:31:00Z",
        "2026-11-18T14:31:00Z",
    )
    assert changed.get("clocks") == before
    assert changed.get("applications") == {"items": []}


def test_a_preview_goes_on_where_the_one_before_ended(changed: SlaClient) -> None:
    first = changed.get("applications/preview", limit=1)
    second = changed.get("applications/preview", limit=1, after=first["next"])
    assert (first["handoffs"], second["handoffs"], second["next"]) == (1, 1, None)
    total = {it: first["effects"][it] + second["effects"][it] for it in first["effects"]}
    assert total == counted(kept=1, later=1, cancelled=2)


def test_the_version_in_force_is_applied_and_says_how_far_it_is(
    changed: SlaClient, sessions: Sessions
) -> None:
    begun = changed.post("applications", status=202, agreement_version=2)
    assert (begun["state"], begun["actor"], begun["handoffs"]) == ("running", "ops/ops", 0)
    assert changed.post("applications", status=202, agreement_version=2) == begun

    advance(sessions)

    done = changed.get(f"applications/{begun['id']}")
    assert (done["state"], done["handoffs"]) == ("done", 2)
    assert done["effects"] == counted(kept=1, later=1, cancelled=2)
    assert changed.get("applications") == {"items": [done]}
    [moved] = changed.get("upcoming")["items"]
    assert (moved["rep"], moved["agreement_version"], moved["applied_at"]) == (
        "alan",
        2,
        "2026-11-18T13:30:00Z",
    )
    assert changed.get("applications/preview")["effects"] == counted(kept=1)


def test_an_explanation_has_every_version_that_the_clock_counted_by(
    changed: SlaClient, sessions: Sessions
) -> None:
    changed.post("applications", status=202, agreement_version=2)
    advance(sessions)
    [moved] = changed.get("upcoming")["items"]

    explained = changed.get(f"clocks/{moved['id']}/explain")

    terms = [
        (it["since"][11:16], it["agreement_version"], it["target_s"]) for it in explained["terms"]
    ]
    assert terms == [("12:31", 1, 3600), ("13:30", 2, 7200)]
    assert (explained["counted_s"], explained["spent_s"]) == (7200, 59 * 60)
    [grace, *_] = changed.get("clocks", state="met")["items"]
    unmoved = changed.get(f"clocks/{grace['id']}/explain")
    assert [it["agreement_version"] for it in unmoved["terms"]] == [1]


def test_a_policy_is_ended(changed: SlaClient, sessions: Sessions) -> None:
    preview = changed.get("applications/preview", policy="slow")
    assert (preview["policy"], preview["effects"]) == ("slow", counted(cancelled=2))
    begun = changed.post("applications", status=202, agreement_version=2, policy="slow")
    advance(sessions)
    assert changed.get(f"applications/{begun['id']}")["effects"] == counted(cancelled=2)
    [first, *_] = changed.get("clocks", state="cancelled")["items"]
    assert (first["policy"], first["ended_by"], first["outcome"]) == (
        "slow",
        "policy_ended",
        "cancelled",
    )


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"agreement_version": 1}, 409, "not_newest"),
        ({"agreement_version": 3}, 409, "not_newest"),
        ({"agreement_version": 2, "policy": "touch"}, 409, "policy_in_force"),
        ({}, 422, "invalid_request"),
        ({"agreement_version": 0}, 422, "invalid_request"),
        ({"agreement_version": 2**31}, 422, "invalid_request"),
        ({"agreement_version": "2; drop table"}, 422, "invalid_request"),
        ({"agreement_version": 2, "policy": "x" * 200}, 422, "invalid_request"),
        ({"agreement_version": 2, "policy": "a\0b"}, 422, "invalid_request"),
        ({"agreement_version": 2, "dry_run": True}, 422, "invalid_request"),
    ],
)
def test_a_wrong_request_applies_nothing(
    changed: SlaClient, body: dict[str, Any], status: int, code: str
) -> None:
    assert changed.post("applications", status=status, **body)["code"] == code
    assert changed.get("applications") == {"items": []}


@pytest.mark.parametrize(
    "query",
    [{"limit": 0}, {"limit": 1001}, {"after": "1"}, {"policy": "a b"}, {"version": 1}],
)
def test_a_wrong_preview_is_refused(changed: SlaClient, query: dict[str, Any]) -> None:
    assert changed.get("applications/preview", 422, **query)["code"] == "invalid_request"
    problem = changed.get("applications/preview", 409, policy="touch")
    assert problem["code"] == "policy_in_force"


def test_only_ops_apply_and_reps_do_not_even_look(
    client: TestClient, changed: SlaClient, sessions: Sessions
) -> None:
    board = client_with_key(client, sessions, KeyScope.READ, "board")
    grace = client_with_key(client, sessions, KeyScope.REP, "grace")
    assert board.get("applications/preview")["clocks"] == 4
    for reader in (board, grace):
        refused = reader.post("applications", status=403, agreement_version=2)
        assert refused["code"] == "wrong_scope"
    assert grace.get("applications/preview", 403)["code"] == "wrong_scope"
    assert changed.get(f"applications/{an_id('no')}", 404)["code"] == "unknown_application"


def test_without_an_agreement_there_is_nothing_to_apply(
    client: TestClient, sessions: Sessions
) -> None:
    ops = client_with_key(client, sessions, KeyScope.OPS, "ops")
    assert ops.get("applications/preview", 503)["code"] == "no_agreement"
    refused = ops.post("applications", status=503, agreement_version=1)
    assert refused["code"] == "no_agreement"


def test_a_policy_named_in_both_versions_cannot_be_ended(
    ops: SlaClient, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        publish_policies(session, TOUCH)
    refused = ops.get("applications/preview", 409, policy="touch")
    assert "version 2" in refused["message"]
