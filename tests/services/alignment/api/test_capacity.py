"""What the roster can take over HTTP: as a promise, as a measure, and the days of teams behind both."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, update

from shared.agreement.store import publish
from shared.contracts.payloads import CapacityPlanned
from shared.db.session import Sessions
from shared.db.tables import agreements
from tests.builders import DEFAULT_SECTIONS, NOON, days
from tests.seeds import random_of
from tests.services.alignment.capacity import (
    BEGIN,
    EMEA,
    INBOUND,
    ROUTING,
    api_at_noon,
    get,
    plan,
    read,
)

pytestmark = pytest.mark.postgres

MONTH = {"measure": "capacity", "per": "month", "at_least": 400}
NOVEMBER = [date(2026, 11, it) for it in range(1, 31)]


def publish_promises(sessions: Sessions, *promises: dict[str, Any]) -> None:
    sales = [{"id": f"room{number}", **it} for number, it in enumerate(promises)]
    source = json.dumps({**DEFAULT_SECTIONS, "routing": ROUTING, "promises": {"sales": sales}})
    with sessions.begin() as session:
        publish(session, source, by="test", now=BEGIN)


@pytest.fixture
def client(sessions: Sessions) -> Iterator[TestClient]:
    """The API at noon of 18 November, with a key of ops."""
    with api_at_noon(sessions) as client:
        yield client


def promised(client: TestClient, **period: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = get(client, "/v1/promises", **period)["items"]
    return items


def measured(client: TestClient, **parameters: Any) -> dict[str, Any]:
    report = get(client, "/v1/measures", **{"period": "2026-11", **parameters})
    return next(it for it in report["items"] if it["measure"] == "capacity")


def test_a_promise_is_about_the_whole_month_however_much_of_it_has_passed(
    client: TestClient, sessions: Sessions
) -> None:
    publish_promises(
        sessions, MONTH, {**MONTH, "at_least": 390}, {**MONTH, "per": "quarter", "at_least": 800}
    )
    with sessions.begin() as session:
        read(session, plan(), plan("emea", EMEA))

    behind, on_track, quarter = promised(client, period="2026-11")

    assert (behind["value"], behind["due"], behind["verdict"]) == (390, 400, "behind")
    assert (behind["n"], behind["unit"], behind["why"]) == (60, "leads", None)
    assert on_track["verdict"] == "on_track"
    assert (quarter["verdict"], quarter["value"]) == ("unknown", None)
    assert "61 of 92 dates are announced, 2026-11-01 to 2026-12-31" in quarter["why"]
    week = promised(client, period="2026-W47")[0]
    assert (week["since"], week["value"]) == ("2026-11-01", 390)


def test_before_anything_is_announced_it_says_what_announces_it(
    client: TestClient, sessions: Sessions
) -> None:
    publish_promises(sessions, MONTH)

    [promise] = promised(client, period="2026-11")

    assert (promise["verdict"], promise["value"], promise["n"]) == ("unknown", None, 0)
    assert "once reps are imported" in promise["why"]
    assert get(client, promise["leads"])["items"] == []


def test_in_the_first_month_a_promise_that_the_known_dates_suffice_for_is_kept(
    client: TestClient, sessions: Sessions
) -> None:
    """From 18 November on 13 dates are known: of 130 leads."""
    publish_promises(sessions, {**MONTH, "at_least": 130}, {**MONTH, "at_least": 131})
    with sessions.begin() as session:
        read(session, plan(at=NOON))

    kept, unknown = promised(client, period="2026-11")

    assert (kept["verdict"], kept["value"], kept["value_at_least"]) == ("on_track", None, 130)
    assert (unknown["verdict"], unknown["value_at_least"]) == ("unknown", 130)
    assert "13 of 30 dates are announced, 2026-11-18 to 2026-11-30" in kept["why"]
    assert kept["why"] == unknown["why"] == measured(client)["why"]
    assert measured(client)["value_at_least"] == 130


def test_a_date_that_has_passed_stays_as_it_was_planned_last(
    client: TestClient, sessions: Sessions
) -> None:
    publish_promises(sessions, MONTH)
    with sessions.begin() as session:
        read(session, plan(), plan(leads=100, number=2, at=NOON))

    [promise] = promised(client, period="2026-11")

    assert promise["value"] == 17 * INBOUND + 13 * 100


def test_reps_without_a_limit_make_it_unknown(client: TestClient, sessions: Sessions) -> None:
    publish_promises(sessions, MONTH, {**MONTH, "where": 'team == "inbound"', "at_least": 300})
    with sessions.begin() as session:
        read(session, plan(), plan("emea", EMEA, unlimited=2))

    everybody, inbound = promised(client, period="2026-11")

    assert (everybody["verdict"], everybody["value"], everybody["n"]) == ("unknown", None, 60)
    assert "2 or more of team emea" in everybody["why"]
    assert (inbound["verdict"], inbound["value"], inbound["n"]) == ("on_track", 300, 30)


@pytest.mark.parametrize(
    ("where", "value", "n"),
    [
        ('team == "emea"', 90, 30),
        ('team in ["emea", "inbound"]', 390, 60),
        ('team == "apac"', 0, 0),
        ("true", 390, 60),
    ],
)
def test_conditions_over_the_team_choose_teams(
    client: TestClient, sessions: Sessions, where: str, value: int, n: int
) -> None:
    publish_promises(sessions, {**MONTH, "where": where})
    with sessions.begin() as session:
        read(session, plan(), plan("emea", EMEA))

    [promise] = promised(client, period="2026-11")

    assert (promise["value"], promise["n"]) == (value, n)
    if "team" in where:
        behind = get(client, f"{promise['leads']}&limit=500")
        assert sum(it["leads"] for it in behind["items"]) == value
        assert len(behind["items"]) == n


def test_what_is_not_known_by_tier_or_rep_is_not_guessed(
    client: TestClient, sessions: Sessions
) -> None:
    """`publish` refuses such a promise; a version that was published before it did is still in force."""
    publish_promises(sessions, {**MONTH, "where": 'team == "emea"'})
    with sessions.begin() as session:
        source = func.replace(agreements.c.source, "team ==", "tier == 'standard' && team ==")
        session.execute(update(agreements).values(source=source))
        read(session, plan())

    [promise] = promised(client, period="2026-11")

    assert (promise["verdict"], promise["value"]) == ("unknown", None)
    assert "by team, not by tier" in promise["why"]
    assert "by team, not by rep" in measured(client, rep="linus")["why"]
    assert (
        "not by source and tier" in measured(client, tier="hot", source="web", team="emea")["why"]
    )
    by_channel = measured(client, where='channel == "email" && team == "emea"', channel="email")
    assert "not by channel:" in by_channel["why"]


def test_as_a_measure_it_is_the_sum_of_the_days_behind_it(
    client: TestClient, sessions: Sessions
) -> None:
    publish_promises(sessions)
    with sessions.begin() as session:
        read(session, plan(), plan("emea", EMEA))

    emea, inbound = 30 * EMEA, 30 * INBOUND
    narrowed: list[tuple[dict[str, Any], int]] = [
        ({}, inbound + emea),
        ({"team": "emea"}, emea),
        ({"team": "nobody"}, 0),
        ({"where": 'team == "emea"'}, emea),
        ({"where": 'team != "emea"'}, inbound),
        ({"where": 'team != "emea"', "team": "emea"}, 0),
        ({"where": "true"}, inbound + emea),
        ({"where": "false"}, 0),
    ]
    for parameters, value in narrowed:
        figure = measured(client, **parameters)

        assert figure["value"] == value
        behind = get(client, f"{figure['leads']}&limit=500")["items"]
        assert figure["value"] == sum(it["leads"] for it in behind)
        assert figure["n"] == len(behind)


def test_no_lead_is_behind_it(client: TestClient, sessions: Sessions) -> None:
    publish_promises(sessions, MONTH)

    for figure in ({"measure": "capacity"}, {"promise": "room0"}):
        problem = get(client, "/v1/alignment/leads", 422, period="2026-11", **figure)
        assert problem["code"] == "bad_measure"
        assert "GET /v1/alignment/capacity" in problem["message"]


@pytest.mark.parametrize("seed", range(4))
def test_plans_in_any_order_and_read_twice_give_the_last_of_each_date(
    client: TestClient, sessions: Sessions, seed: int
) -> None:
    """Each day one of two teams is planned anew; of each date the last plan that was made until then counts."""
    publish_promises(sessions, MONTH)
    chance = random_of(seed)
    plans: list[CapacityPlanned] = []
    expected: dict[tuple[date, str], int] = {}
    for number in range(1, 41):
        at, leads = BEGIN + days(number // 2), chance.randrange(50)
        team = chance.choice(["inbound", "emea"])
        plans.append(plan(team, leads, number=number, at=at if number > 2 else BEGIN))
        expected |= {(day.on, team): leads for day in plans[-1].days}
    news = plans + chance.sample(plans, 20)
    chance.shuffle(news)

    with sessions.begin() as session:
        while news:
            size = chance.randrange(1, 9)
            read(session, *news[:size])
            news = news[size:]

    known = {day for day, _ in expected if day in NOVEMBER}
    [promise] = promised(client, period="2026-11")
    total = sum(leads for (day, _), leads in expected.items() if day in known)
    assert len(known) == len(NOVEMBER)
    assert promise["value"] == total
