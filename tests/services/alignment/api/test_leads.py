"""The lists of leads behind figures sum to them: to the lead, to the promise, to the cent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from services.alignment.main import build_api
from shared.agreement.model import AttributionModel
from shared.agreement.store import publish
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from tests.builders import DEFAULT_SECTIONS, NOON, days
from tests.seeds import random_of
from tests.services.alignment.builders import numbered, qualified, random_news, read, step

pytestmark = pytest.mark.postgres

PERIOD = {"period": "2026-11"}
COUNTS = ("qualified", "accepted", "rejected", "contacted", "won")
LEADS = 40


@pytest.fixture(scope="module")
def client(module_sessions: Sessions) -> Iterator[TestClient]:
    """Random histories of November, and Nell, who qualified in October and was won in November."""
    chance = random_of(7)
    with module_sessions.begin() as session:
        publish(session, json.dumps(DEFAULT_SECTIONS), by="test", now=NOON)
        key = create_key(session, scope=KeyScope.OPS, subject="ops", now=NOON)
        for number in range(LEADS):
            read(session, *random_news(chance, f"lead {number}"))
        nell: dict[str, Any] = {"lead": "nell", "qualified_at": NOON - days(30)}
        won = step(Change.WON, 9, amount=7.01, currency="USD", **nell)
        read(session, qualified("nell", at=NOON - days(30)))
        read(session, *numbered(step(Change.ASSIGNED, **nell), won))
    app = build_api(module_sessions, time_source=lambda: NOON + days(1))
    with TestClient(app, headers={"authorization": f"Bearer {key}"}) as client:
        yield client


def get(client: TestClient, path: str, status: int = 200, **parameters: Any) -> Any:
    got = client.get(path, params={**PERIOD, **parameters})
    assert got.status_code == status, got.text
    return got.json()


def items(client: TestClient, path: str, **parameters: Any) -> list[dict[str, Any]]:
    """The items of all pages, of a few each."""
    page = get(client, path, limit=7, **parameters)
    rows: list[dict[str, Any]] = page["items"]
    while page["next"] is not None:
        page = get(client, path, limit=7, **parameters, after=page["next"])
        rows += page["items"]
    return rows


def counted(client: TestClient, **parameters: Any) -> int:
    return sum(it["counted"] for it in items(client, "/v1/alignment/leads", **parameters))


def test_counts_of_campaigns_are_the_leads_that_came_to_the_stage_in_the_period(
    client: TestClient,
) -> None:
    report = get(client, "/v1/campaigns")

    assert report["total"]["won"] > 0
    for campaign in report["items"]:
        for stage in COUNTS:
            name = campaign["campaign"] or ""
            of_stage = {"stage": stage, "counted_by": "happened", "campaign": name}
            assert counted(client, **of_stage) == campaign[stage], of_stage


def test_who_was_won_in_november_may_have_qualified_in_october(client: TestClient) -> None:
    won = {"stage": "won", "where": 'tier == "standard"'}

    happened = items(client, "/v1/alignment/leads", **won, counted_by="happened")
    qualified_then = items(client, "/v1/alignment/leads", **won)

    assert [it["amount"] for it in happened if it["currency"] == "USD"] == [7.01]
    assert not [it for it in qualified_then if it["currency"] == "USD"]


@pytest.mark.parametrize("stage", ["assigned", "lost", "recycled", "merged"])
def test_each_stage_has_its_instant(client: TestClient, stage: str) -> None:
    november = counted(client, stage=stage, counted_by="happened")

    assert november == counted(client, stage=stage) + (stage == "assigned")
    assert counted(client, stage=stage, counted_by="happened", period="2026-12") == 0


def test_promises_of_the_funnel_are_those_about_its_leads(client: TestClient) -> None:
    report = get(client, "/v1/alignment", by="campaign")

    assert report["total"]["promises_broken"] > 0
    for group in report["items"]:
        campaign = group["group"] or ""
        met, broken = group["promises_met"], group["promises_broken"]
        assert counted(client, campaign=campaign, promises="met") == met
        assert counted(client, campaign=campaign, promises="broken") == broken
        assert counted(client, campaign=campaign, promises="any") == met + broken


@pytest.mark.parametrize("also", [{"counted_by": "happened"}, {"promises": "met"}])
def test_what_is_about_a_stage_does_not_go_with_a_measure(
    client: TestClient, also: dict[str, str]
) -> None:
    problem = get(client, "/v1/alignment/leads", 422, measure="acceptance_rate", **also)

    assert problem["code"] == "bad_measure"
    assert "leave out `measure`" in problem["message"]


@pytest.mark.parametrize("by", ["campaign", "channel"])
def test_the_wins_of_a_group_sum_to_its_credit_to_the_cent(client: TestClient, by: str) -> None:
    report = get(client, "/v1/attribution", by=by)

    assert len(report["items"]) > 2
    for group in report["items"]:
        is_unknown = group["group"] is None
        named = {"group": group["group"] or "", "currency": group["currency"]}
        named |= {"touched": str(group["is_touched"]).lower()} if is_unknown else {}
        for model in AttributionModel:
            wins = items(client, "/v1/attribution/wins", by=by, model=model.value, **named)
            assert sum(cents(it["credit"]) for it in wins) == cents(group[model]), (named, model)
            assert all(0 < it["credit"] <= it["amount"] for it in wins)


def cents(amount: float) -> int:
    return round(100 * amount)


def test_all_wins_are_listed_with_their_whole_amounts(client: TestClient) -> None:
    report = get(client, "/v1/attribution")
    page = get(client, "/v1/attribution/wins", limit=500)

    assert page["model"] == report["show"]
    assert page["wins"] == len(page["items"]) == report["won"] - report["wins_without_amount"]
    assert all(it["credit"] == it["amount"] for it in page["items"])
    assert [it["won_at"] for it in page["items"]] == sorted(
        (it["won_at"] for it in page["items"]), reverse=True
    )
    sums = {it["currency"]: cents(it["amount"]) for it in page["credit"]}
    assert sums == {
        currency: sum(cents(it["amount"]) for it in page["items"] if it["currency"] == currency)
        for currency in ("EUR", "USD")
    }


def test_wins_without_a_known_group_are_those_of_all_kinds(client: TestClient) -> None:
    unknown = get(client, "/v1/attribution/wins", group="", limit=500)
    parts = [
        get(client, "/v1/attribution/wins", group="", touched=it, limit=500)
        for it in ("true", "false")
    ]

    for currency in ("EUR", "USD"):
        sums = [
            cents(amount["amount"])
            for page in (unknown, *parts)
            for amount in page["credit"]
            if amount["currency"] == currency
        ]
        assert sums[0] == sum(sums[1:])


def test_wins_as_csv(client: TestClient) -> None:
    got = client.get("/v1/attribution/wins", params={**PERIOD, "currency": "USD", "format": "csv"})

    head, row = got.text.splitlines()
    assert head.startswith("lead_id,qualification,handoff_id,won_at,campaign,rep,amount,credit")
    assert ",7.01,7.01,USD" in row


def test_the_leads_behind_a_measure_stand_on_pages(client: TestClient) -> None:
    whole = get(client, "/v1/alignment/leads", measure="qualified", limit=500)["items"]

    assert len(whole) > 7
    assert items(client, "/v1/alignment/leads", measure="qualified") == whole
