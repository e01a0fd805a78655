"""Attainment, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from shared.auth.keys import KeyScope
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from tests.services.sla_monitor.api.clients import SlaClient, client_with_key
from tests.services.sla_monitor.builders import (
    TOUCH,
    handle_changes,
    minutes_after_noon,
    numbered,
    publish_policies,
    step,
)

pytestmark = pytest.mark.postgres


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


def test_a_series_has_a_report_for_each_day(client: TestClient, sessions: Sessions) -> None:
    with sessions.begin() as session:
        publish_policies(session, TOUCH)
        for day, minute in enumerate((20, 40)):
            start = 24 * 60 * day
            fields: dict[str, Any] = {
                "lead": f"lead {day}",
                "assigned_at": minutes_after_noon(start),
            }
            contact = step(Change.CONTACTED, start + minute, **fields)
            changes = numbered(step(Change.ASSIGNED, start, **fields), contact)
            handle_changes(session, *changes, minute=start + 60)
    ops = client_with_key(client, sessions, KeyScope.OPS, "ops")

    got = ops.get("attainment/daily", since="2026-11-18", until="2026-11-20")

    [series] = got["series"]
    assert (got["by"], series["group"]) == ("team", "sales")
    assert [(it["group"], it["attainment"]) for it in series["days"]] == [
        ("2026-11-18", 1.0),
        ("2026-11-19", 1.0),
    ]
    speeds = [it["first_touch"]["business_p50_s"] for it in series["days"]]
    assert speeds == [pytest.approx(20 * 60, rel=0.1), pytest.approx(40 * 60, rel=0.1)]


def test_there_is_a_series_for_each_tier_and_each_rep_of_a_team(ops: SlaClient) -> None:
    tiers = ops.get("attainment/daily", by="tier")["series"]
    assert [it["group"] for it in tiers] == ["enterprise", "standard"]
    reps = ops.get("attainment/daily", by="rep", team="sales")["series"]
    assert [it["group"] for it in reps] == ["ada", "grace", "linus"]
    assert len(ops.get("attainment/daily", by="rep", rep="ada")["series"]) == 1


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"by": "rep"}, "name a `team` or a `rep`"),
        ({"since": "2025-01-01"}, "366 days at most"),
        ({"by": "day"}, "by"),
    ],
    ids=["every rep", "years", "by day"],
)
def test_a_series_that_would_be_too_long_is_refused(
    ops: SlaClient, parameters: dict[str, str], words: str
) -> None:
    problem = ops.get("attainment/daily", status=422, **parameters)
    assert problem["code"] == "invalid_request"
    assert words in problem["message"]


def test_attainment_is_narrowed_and_of_the_dates_only(ops: SlaClient) -> None:
    assert ops.get("attainment", rep="nobody")["items"] == []
    assert ops.get("attainment", until="2026-11-17")["items"] == []
    assert ops.get("attainment", tier="enterprise")["items"][0]["promised"] == 1
