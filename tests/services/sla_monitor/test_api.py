"""What ops and reps read, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from services.sla_monitor.handlers.due_clocks import fire_due_clocks
from shared.auth.keys import KeyScope
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from tests.builders import NOON, an_id
from tests.services.sla_monitor.builders import (
    ACCEPT,
    JOURNEY,
    TOUCH,
    handle_changes,
    minutes_after_noon,
    numbered,
    policy,
    publish_policies,
    step,
)
from tests.services.sla_monitor.clients import SlaClient, client_with_key

pytestmark = pytest.mark.postgres


@pytest.fixture
def ops(client: TestClient, sessions: Sessions) -> SlaClient:
    """At 13:30: Grace answered in time, Linus too late, Ada never; Alan has one more minute."""
    with sessions.begin() as session:
        publish_policies(session, TOUCH, policy("slow", target="2h", warn_at=0.7))
        tiers = {"grace": "standard", "linus": "standard", "ada": "enterprise", "alan": "standard"}
        answers = {"grace": 20, "linus": 70}
        for rep, tier in tiers.items():
            fields: dict[str, Any] = {
                "lead": rep,
                "rep": rep,
                "tier": tier,
                "lead_name": f"{rep}'s lead",
            }
            if rep == "alan":
                fields |= {"assigned_at": minutes_after_noon(31)}
            steps = [step(Change.ASSIGNED, **fields)]
            if rep in answers:
                steps.append(step(Change.CONTACTED, answers[rep], **fields))
            handle_changes(session, *numbered(*steps), minute=80)
        fire_due_clocks(session, now=minutes_after_noon(85))
    return client_with_key(client, sessions, KeyScope.OPS, "ops")


def test_open_breaches_have_no_answer(ops: SlaClient) -> None:
    [breach] = ops.get("breaches")["items"]
    assert (breach["rep"], breach["policy"], breach["lead_name"]) == ("ada", "touch", "ada's lead")
    assert breach["breached_at"] == breach["due_at"] == "2026-11-18T13:00:00Z"
    assert breach["detected_at"] == "2026-11-18T13:25:00Z"
    assert breach["overdue_s"] == 30 * 60


def test_all_breaches_hold_the_late_answers_too(ops: SlaClient) -> None:
    assert sorted(ops.ids("breaches", state="all")) == [("ada", "touch"), ("linus", "touch")]


def test_at_risk_is_past_the_warning_and_not_yet_due(ops: SlaClient) -> None:
    assert ops.ids("at-risk") == [("alan", "touch"), ("ada", "slow")]


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
    ("path", "parameters"), [("clocks", {}), ("at-risk", {}), ("breaches", {"state": "all"})]
)
def test_lists_come_in_pages(ops: SlaClient, path: str, parameters: dict[str, Any]) -> None:
    whole = [it["id"] for it in ops.get(path, **parameters)["items"]]
    page = ops.get(path, limit=1, **parameters)
    paged = page["items"]
    while page["next"] is not None:
        page = ops.get(path, limit=1, after=page["next"], **parameters)
        paged += page["items"]
    assert [it["id"] for it in paged] == whole
    assert len(whole) > 1


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


def test_an_unknown_clock_is_a_404(ops: SlaClient) -> None:
    assert ops.get(f"clocks/{an_id('none')}/explain", status=404)["code"] == "unknown_clock"


def test_attainment_counts_the_unanswered_as_broken(ops: SlaClient) -> None:
    got = ops.get("attainment", since="2026-11-18", until="2026-11-18")
    [team] = got["items"]
    assert (got["by"], got["since"], got["until"]) == ("team", "2026-11-18", "2026-11-18")
    # Both of Grace's promises were kept, and the slower one of Linus's.
    assert (team["group"], team["met"], team["late"], team["overdue"]) == ("sales", 3, 1, 1)
    assert (team["promised"], team["attainment"]) == (5, 0.6)
    assert team["accept"] is None
    assert team["first_touch"]["answers"] == 4
    assert team["first_touch"]["business_p90_s"] == pytest.approx(70 * 60, rel=0.1)


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("rep", {"ada": 0.0, "grace": 1.0, "linus": 0.5}),
        ("tier", {"enterprise": 0.0, "standard": 0.75}),
        ("day", {"2026-11-18": 0.6}),
    ],
)
def test_attainment_is_split_by(ops: SlaClient, by: str, groups: dict[str, float]) -> None:
    items = ops.get("attainment", by=by)["items"]
    assert {it["group"]: it["attainment"] for it in items} == groups


def test_attainment_is_narrowed_and_of_the_dates_only(ops: SlaClient) -> None:
    assert ops.get("attainment", rep="nobody")["items"] == []
    assert ops.get("attainment", until="2026-11-17")["items"] == []
    assert ops.get("attainment", tier="enterprise")["items"][0]["promised"] == 1


def test_a_rep_sees_their_own_only(client: TestClient, sessions: Sessions, ops: SlaClient) -> None:
    ada = client_with_key(client, sessions, KeyScope.REP, "ada")
    linus = client_with_key(client, sessions, KeyScope.REP, "linus")
    [breach] = ops.get("breaches")["items"]
    assert {rep for rep, _ in ada.ids("clocks", rep="grace")} == {"ada"}
    assert ada.get(f"clocks/{breach['id']}/explain")["rep"] == "ada"
    assert linus.get(f"clocks/{breach['id']}/explain", status=404)["code"] == "unknown_clock"
    assert [it["group"] for it in linus.get("attainment", by="rep")["items"]] == ["linus"]


def test_a_key_is_needed(client: TestClient, sessions: Sessions) -> None:
    assert client.get("/v1/sla/breaches").status_code == 401
    wrong = client_with_key(client, sessions, KeyScope.INGEST, "website")
    assert wrong.get("breaches", status=403)["code"] == "wrong_scope"


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


def test_journeys_and_hops_are_listed_apart(client: TestClient, sessions: Sessions) -> None:
    with sessions.begin() as session:
        publish_policies(session, ACCEPT, JOURNEY)
        handle_changes(session, step(Change.ASSIGNED))
    ops = client_with_key(client, sessions, KeyScope.OPS, "ops")
    assert ops.ids("clocks", scope="journey") == [("grace", "journey")]
    assert ops.ids("clocks", scope="hop", kind="accept") == [("grace", "accept")]
