"""Promises by source and campaign of their leads, over HTTP: lists, attainment, CSV, refusals."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from services.sla_monitor.api import attainment
from services.sla_monitor.handlers.due_clocks import fire_due_clocks
from services.sla_monitor.tables import clocks
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

LEADS: dict[str, dict[str, Any]] = {
    "met": {"sources": ("ads", "web"), "campaign": "q4", "answer": 20},
    "late": {"sources": ("ads",), "campaign": "q4", "answer": 70},
    "open": {"sources": ("web",), "campaign": "q3", "tier": "enterprise"},
    "plain": {"answer": 10},
}


@pytest.fixture
def ops(client: TestClient, sessions: Sessions) -> SlaClient:
    """Leads of two sources and two campaigns, and one without either, all due at 13:00."""
    with sessions.begin() as session:
        publish_policies(session, TOUCH)
        for lead, origin in LEADS.items():
            fields = {"lead": lead, "lead_name": lead, **origin}
            answer = fields.pop("answer", None)
            steps = [step(Change.ASSIGNED, **fields)]
            steps += [] if answer is None else [step(Change.CONTACTED, answer, **fields)]
            handle_changes(session, *numbered(*steps), minute=50)
        fire_due_clocks(session, now=minutes_after_noon(85))
    return client_with_key(client, sessions, KeyScope.OPS, "ops")


def kept(answer: Any) -> list[tuple[str, int, int]]:
    """Each group with what was met and what was promised."""
    return [(it["group"], it["met"], it["promised"]) for it in answer["items"]]


@pytest.mark.parametrize(
    ("path", "parameters", "leads"),
    [
        ("clocks", {"source": "ads"}, ["late", "met"]),
        ("clocks", {"source": "web", "campaign": "q4"}, ["met"]),
        ("clocks", {"campaign": "none"}, []),
        ("breaches", {"campaign": "q3"}, ["open"]),
        ("breaches", {"state": "all", "source": "ads"}, ["late"]),
        ("breaches", {"source": "a"}, []),
    ],
)
def test_lists_are_narrowed_by_source_and_campaign(
    ops: SlaClient, path: str, parameters: dict[str, Any], leads: list[str]
) -> None:
    items = ops.get(path, **parameters)["items"]
    assert sorted(it["lead_name"] for it in items) == leads
    rows = ops.csv(path, format="csv", **parameters)[1]
    assert sorted(it["lead_name"] for it in rows) == leads


def test_a_clock_says_where_its_lead_came_from(ops: SlaClient) -> None:
    [clock] = ops.get("clocks", source="web", campaign="q4")["items"]
    assert (clock["sources"], clock["campaign"]) == (["ads", "web"], "q4")
    [row] = ops.csv("clocks", format="csv", source="web", campaign="q4")[1]
    assert (row["sources"], row["campaign"]) == ("ads web", "q4")


def test_a_clock_of_an_older_version_has_no_sources(ops: SlaClient, sessions: Sessions) -> None:
    with sessions.begin() as session:
        session.execute(update(clocks).values(sources=None, campaign=None))
    items = ops.get("clocks")["items"]
    assert {(tuple(it["sources"]), it["campaign"]) for it in items} == {((), None)}
    assert ops.get("clocks", source="ads")["items"] == []


@pytest.mark.parametrize(
    ("parameters", "groups"),
    [
        ({"by": "source"}, [("ads", 1, 2), ("web", 1, 2), ("", 1, 1)]),
        ({"by": "campaign"}, [("q4", 1, 2), ("", 1, 1), ("q3", 0, 1)]),
        ({"by": "campaign", "tier": "enterprise"}, [("q3", 0, 1)]),
        ({"by": "source", "source": "web"}, [("web", 1, 2)]),
        ({"by": "team", "campaign": "q4"}, [("sales", 1, 2)]),
        ({"by": "tier", "source": "web"}, [("enterprise", 0, 1), ("standard", 1, 1)]),
        ({"by": "day", "source": "ads"}, [("2026-11-18", 1, 2)]),
        ({"by": "source", "team": "none"}, []),
        ({"by": "source", "until": "2026-11-17"}, []),
    ],
    ids=str,
)
def test_attainment_by_and_of_sources_and_campaigns(
    ops: SlaClient, parameters: dict[str, Any], groups: list[tuple[str, int, int]]
) -> None:
    assert kept(ops.get("attainment", **parameters)) == groups
    rows = ops.csv("attainment", format="csv", **parameters)[1]
    assert [(it["group"], int(it["met"]), int(it["promised"])) for it in rows] == groups


def test_speed_is_known_by_campaign(ops: SlaClient) -> None:
    [q4] = ops.get("attainment", by="campaign", campaign="q4")["items"]
    assert q4["first_touch"]["answers"] == 2
    assert q4["first_touch"]["business_p50_s"] == pytest.approx(20 * 60, rel=0.1)


def test_there_is_a_series_for_each_campaign(ops: SlaClient) -> None:
    series = ops.get("attainment/daily", by="campaign")["series"]
    assert [(it["group"], [day["group"] for day in it["days"]]) for it in series] == [
        (group, ["2026-11-18"]) for group in ("", "q3", "q4")
    ]
    days = ops.csv("attainment/daily", format="csv", by="source", source="web")[1]
    assert [(it["group"], it["on"], it["promised"]) for it in days] == [("web", "2026-11-18", "2")]


def test_many_campaigns_are_bounded_and_the_rest_is_counted(
    client: TestClient, sessions: Sessions
) -> None:
    """Of one campaign more than an answer has, two leads are of the last one."""
    names = [f"campaign {n:03}" for n in range(attainment.MAX_GROUPS + 3)]
    with sessions.begin() as session:
        publish_policies(session, TOUCH)
        for number, name in enumerate([*names, names[-1]]):
            fields: dict[str, Any] = {"lead": f"{number}", "campaign": name}
            changes = numbered(step(Change.ASSIGNED, **fields), step(Change.CONTACTED, 5, **fields))
            handle_changes(session, *changes, minute=6)
    ops = client_with_key(client, sessions, KeyScope.OPS, "ops")

    answer = ops.get("attainment", by="campaign")

    assert kept(answer)[0] == (names[-1], 2, 2)
    assert [it["group"] for it in answer["items"]] == [
        names[-1],
        *names[: attainment.MAX_GROUPS - 1],
    ]
    assert (answer["more_groups"], answer["more_promised"]) == (3, 3)
    assert len(ops.csv("attainment", format="csv", by="campaign")[1]) == len(names)
    daily = ops.get("attainment/daily", by="campaign")
    assert len(daily["series"]) == attainment.MAX_SERIES
    assert daily["more_groups"] == len(names) - attainment.MAX_SERIES


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"by": "source", "campaign": "q4"}, "not both"),
        ({"source": "ads", "campaign": "q4"}, "not both"),
        ({"by": "source", "rep": "grace"}, "leave `rep` out"),
        ({"by": "rep", "source": "ads"}, "leave `rep` out"),
        ({"campaign": ""}, "campaign"),
    ],
    ids=str,
)
def test_what_is_not_counted_together_is_refused(
    ops: SlaClient, parameters: dict[str, Any], words: str
) -> None:
    for path in ("attainment", "attainment/daily"):
        problem = ops.get(path, status=422, **parameters)
        assert problem["code"] == "invalid_request"
        assert words in problem["message"]


def test_a_key_of_a_rep_lists_by_source_and_gets_no_attainment_by_it(
    ops: SlaClient, client: TestClient, sessions: Sessions
) -> None:
    assert ops.get("clocks")["items"]
    rep = client_with_key(client, sessions, KeyScope.REP, "grace")
    assert len(rep.get("clocks", source="ads")["items"]) == 2
    assert "a key of a rep" in rep.get("attainment", status=422, by="source")["message"]
