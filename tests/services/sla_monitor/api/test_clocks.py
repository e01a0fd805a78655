"""Lists of clocks, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from services.sla_monitor.handlers.due_clocks import fire_due_clocks
from shared.auth.keys import KeyScope
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from tests.services.sla_monitor.api.clients import SlaClient, client_with_key
from tests.services.sla_monitor.builders import (
    ACCEPT,
    JOURNEY,
    TOUCH,
    handle_changes,
    minutes_after_noon,
    numbered,
    publish_policies,
    step,
)

pytestmark = pytest.mark.postgres


def test_open_breaches_have_no_answer(ops: SlaClient) -> None:
    [breach] = ops.get("breaches")["items"]
    assert (breach["rep"], breach["policy"], breach["lead_name"]) == ("ada", "touch", "ada's lead")
    assert breach["breached_at"] == breach["due_at"] == "2026-11-18T13:00:00Z"
    assert breach["detected_at"] == "2026-11-18T13:25:00Z"
    assert breach["overdue_s"] == 30 * 60


def test_all_breaches_hold_the_late_answers_too(ops: SlaClient) -> None:
    assert sorted(ops.ids("breaches", state="all")) == [("ada", "touch"), ("linus", "touch")]


@pytest.mark.parametrize(
    ("cause", "clocks"),
    [("late", [("linus", "touch")]), ("overdue", [("ada", "touch")]), ("cancelled", [])],
)
def test_breaches_are_listed_by_cause_as_attainment_counts_them(
    ops: SlaClient, cause: str, clocks: list[tuple[str, str]]
) -> None:
    [team] = ops.get("attainment", by="team")["items"]

    assert ops.ids("breaches", state="all", cause=cause) == clocks
    assert team[cause] == len(clocks)


def test_a_breach_that_was_cancelled_has_that_cause(client: TestClient, sessions: Sessions) -> None:
    with sessions.begin() as session:
        publish_policies(session, TOUCH)
        lost = step(Change.LOST, 75, reason="budget")
        handle_changes(session, *numbered(step(Change.ASSIGNED)), minute=1)
        fire_due_clocks(session, now=minutes_after_noon(70))
        handle_changes(session, *numbered(step(Change.ASSIGNED), lost), minute=80)
    ops = client_with_key(client, sessions, KeyScope.OPS, "ops")

    [team] = ops.get("attainment", by="team")["items"]
    assert [len(ops.ids("breaches", state="all", cause=it)) for it in ("cancelled", "late")] == [
        team["cancelled"],
        team["late"],
    ]
    assert team["cancelled"] + team["late"] == 1


@pytest.mark.parametrize(
    ("dates", "count"),
    [
        ({"first_due_on": "2026-11-18", "last_due_on": "2026-11-18"}, 2),
        ({"first_due_on": "2026-11-19"}, 0),
        ({"last_due_on": "2026-11-17"}, 0),
        ({"last_due_on": "2026-11-18", "since": "2026-11-18T13:00:01Z"}, 0),
    ],
    ids=str,
)
def test_breaches_are_those_of_due_dates(ops: SlaClient, dates: dict[str, str], count: int) -> None:
    assert len(ops.ids("breaches", state="all", **dates)) == count


def test_due_dates_in_disorder_are_refused(ops: SlaClient) -> None:
    dates = {"first_due_on": "2026-11-19", "last_due_on": "2026-11-18"}

    assert ops.get("breaches", status=422, **dates)["code"] == "empty_range"


def test_at_risk_is_past_the_warning_and_not_yet_due(ops: SlaClient) -> None:
    assert ops.ids("at-risk") == [("alan", "touch"), ("ada", "slow")]


def test_upcoming_clocks_are_not_yet_due_and_the_next_one_is_first(ops: SlaClient) -> None:
    items = ops.get("upcoming")["items"]
    assert [(it["rep"], it["policy"], it["at_risk_since"] is not None) for it in items] == [
        ("alan", "touch", True),
        ("ada", "slow", True),
        ("alan", "slow", False),
    ]
    assert ops.ids("upcoming", until="2026-11-18T13:40:00Z") == [("alan", "touch")]
    assert ops.ids("upcoming", tier="enterprise") == [("ada", "slow")]


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({}, 2),
        ({"team": "sales"}, 2),
        ({"team": "others"}, 0),
        ({"rep": "ada"}, 1),
        ({"tier": "enterprise"}, 1),
        ({"kind": "first_touch"}, 2),
        ({"kind": "accept"}, 0),
        ({"scope": "journey"}, 0),
        ({"since": "2026-11-18T13:00:00Z"}, 2),
        ({"since": "2026-11-18T13:00:01Z"}, 0),
        ({"until": "2026-11-18T13:00:00Z"}, 0),
        ({"until": "2026-11-18T14:00:01+01:00"}, 2),
    ],
    ids=str,
)
def test_lists_are_narrowed(ops: SlaClient, filters: dict[str, Any], count: int) -> None:
    assert len(ops.ids("breaches", state="all", **filters)) == count


@pytest.mark.parametrize(
    ("path", "parameters"),
    [("clocks", {}), ("at-risk", {}), ("upcoming", {}), ("breaches", {"state": "all"})],
)
def test_lists_come_in_pages(ops: SlaClient, path: str, parameters: dict[str, Any]) -> None:
    whole = [it["id"] for it in ops.get(path, **parameters)["items"]]
    page = ops.get(path, limit=1, **parameters)
    page_of = page["items"]
    while page["next"] is not None:
        page = ops.get(path, limit=1, after=page["next"], **parameters)
        page_of += page["items"]
    assert [it["id"] for it in page_of] == whole
    assert len(whole) > 1


def test_clocks_that_were_reported_late_are_listed_and_counted(
    client: TestClient, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        publish_policies(session, TOUCH, report_within="15m")
        for rep, recorded in (("grace", 24), ("linus", 60), ("ada", 70)):
            reported_at = minutes_after_noon(recorded)
            contacted = step(Change.CONTACTED, 20, rep=rep, lead=rep, recorded_at=reported_at)
            changes = numbered(step(Change.ASSIGNED, rep=rep, lead=rep), contacted)
            handle_changes(session, *changes, minute=80)
    ops = client_with_key(client, sessions, KeyScope.OPS, "ops")

    late = ops.get("clocks", reported_late=True)["items"]

    assert {it["rep"]: (it["state"], it["outcome"]) for it in late} == {
        "linus": ("met", "met, reported 40 min later"),
        "ada": ("met", "met, reported 50 min later"),
    }
    assert ops.ids("clocks", reported_late=False) == [("grace", "touch")]
    assert ops.ids("clocks", reported_late=True, rep="ada", state="met") == [("ada", "touch")]
    [team] = ops.get("attainment", by="team")["items"]
    assert (team["met"], team["reported_late"], team["attainment"]) == (3, 2, 1.0)


def test_clocks_are_listed_in_any_state(ops: SlaClient) -> None:
    assert len(ops.ids("clocks")) == 8
    assert {it["state"] for it in ops.get("clocks", state="met")["items"]} == {"met"}
    assert len(ops.ids("clocks", state="late")) == 1


@pytest.mark.parametrize(
    ("path", "parameters", "code"),
    [
        ("breaches", {"state": "shut"}, "invalid_request"),
        ("breaches", {"since": "yesterday"}, "invalid_request"),
        ("breaches", {"since": "2026-11-18T13:00:00"}, "invalid_request"),
        ("breaches", {"limit": 0}, "invalid_request"),
        ("breaches", {"colour": "red"}, "invalid_request"),
        ("breaches", {"format": "xml"}, "invalid_request"),
        ("at-risk", {"scope": "galaxy"}, "invalid_request"),
        ("clocks", {"state": "asleep"}, "invalid_request"),
        ("clocks/not-an-id/explain", {}, "invalid_request"),
        ("attainment", {"by": "mood"}, "invalid_request"),
        ("attainment", {"since": "2026-02-30"}, "invalid_request"),
        ("attainment", {"since": "2026-11-19", "until": "2026-11-18"}, "empty_range"),
        (
            "breaches",
            {"since": "2026-11-18T13:00:00Z", "until": "2026-11-18T13:00:00Z"},
            "empty_range",
        ),
    ],
    ids=str,
)
def test_a_filter_that_makes_no_sense_is_a_problem(
    ops: SlaClient, path: str, parameters: dict[str, Any], code: str
) -> None:
    problem = ops.get(path, status=422, **parameters)
    assert problem["code"] == code
    assert problem["message"]


def test_a_cursor_of_elsewhere_is_refused(ops: SlaClient) -> None:
    assert ops.get("clocks", status=400, after="bm9uc2Vuc2U")["code"] == "bad_cursor"


def test_journeys_and_hops_are_listed_apart(client: TestClient, sessions: Sessions) -> None:
    with sessions.begin() as session:
        publish_policies(session, ACCEPT, JOURNEY)
        handle_changes(session, step(Change.ASSIGNED))
    ops = client_with_key(client, sessions, KeyScope.OPS, "ops")
    assert ops.ids("clocks", scope="journey") == [("grace", "journey")]
    assert ops.ids("clocks", scope="hop", kind="accept") == [("grace", "accept")]


def test_the_clocks_of_one_handoff_are_listed(ops: SlaClient) -> None:
    clock = ops.get("clocks", rep="grace")["items"][0]
    own = ops.get("clocks", handoff=clock["handoff_id"])["items"]
    assert {it["rep"] for it in own} == {"grace"}
    assert {it["policy"] for it in own} == {"touch", "slow"}
