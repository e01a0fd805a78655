"""The table of campaigns, and what became of the leads of one, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from csv import DictReader
from io import StringIO
from typing import Any

import pytest
from fastapi.testclient import TestClient

from services.alignment.main import build_api
from shared.agreement.store import publish
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from tests.builders import DEFAULT_SECTIONS, NOON
from tests.services.alignment.builders import lead_touched, numbered, qualified, read, step

pytestmark = pytest.mark.postgres

MONEY = {
    "currency": "EUR",
    "rates": {"USD": 0.92},
    "gross_margin": 0.8,
    "monthly_churn": 0.02,
}
YESTERDAY = -24 * 60


def publish_money(sessions: Sessions, money: dict[str, Any]) -> None:
    sections = {**DEFAULT_SECTIONS, "money": money, "attribution": {"show": "linear"}}
    with sessions.begin() as session:
        publish(session, json.dumps(sections), by="test", now=NOON)


@pytest.fixture
def client(sessions: Sessions) -> Iterator[TestClient]:
    """November: autumn won 100.01 EUR of Ada, who saw spring too, and 50 USD of Emmy, without any touch.

    Kurt of no campaign and Lise of autumn were rejected; Otto of winter was won for an unknown amount.
    """
    with sessions.begin() as session:
        key = create_key(session, scope=KeyScope.OPS, subject="ops", now=NOON)
        for lead, fields in {"ada": (100.01, "EUR"), "emmy": (50.0, "USD")}.items():
            won = step(Change.WON, 9, lead=lead, amount=fields[0], currency=fields[1])
            read(session, qualified(lead), *numbered(step(Change.ASSIGNED, lead=lead), won))
        for lead, campaign, reason in (("kurt", None, "budget"), ("lise", "autumn", "timing")):
            rejected = step(Change.REJECTED, 9, lead=lead, campaign=campaign, reason=reason)
            changes = numbered(step(Change.ASSIGNED, lead=lead, campaign=campaign), rejected)
            read(session, qualified(lead, campaign), *changes)
        otto: dict[str, Any] = {"lead": "otto", "campaign": "winter"}
        read(session, qualified("otto", "winter"))
        read(session, *numbered(step(Change.ASSIGNED, **otto), step(Change.WON, 9, **otto)))
        read(session, lead_touched("spring", "autumn"))
    publish_money(sessions, MONEY)
    app = build_api(sessions, time_source=lambda: NOON)
    with TestClient(app, headers={"authorization": f"Bearer {key}"}) as client:
        yield client


def spend(client: TestClient, campaign: str, **fields: Any) -> None:
    body = {"period": "2026-W47", "amount": 35, "currency": "EUR", **fields}
    got = client.put(f"/v1/campaigns/{campaign}/spend", json=body)
    assert got.status_code == 200, got.text


def table(client: TestClient, status: int = 200, **parameters: Any) -> Any:
    got = client.get("/v1/campaigns", params={"period": "2026-11", **parameters})
    assert got.status_code == status, got.text
    return got.json()


def rows(report: Any) -> dict[str | None, Any]:
    return {it["campaign"]: it for it in report["items"]}


def test_costs_and_what_they_brought(client: TestClient) -> None:
    spend(client, "autumn", amount=70)  # week 47 began on 16 November; today is the 18th
    spend(client, "spring", amount=7, currency="USD", period="2026-W46")

    report = table(client)

    assert (report["currency"], report["model"], report["days"]) == ("EUR", "linear", 30)
    assert (report["spend_until"], report["campaigns"]) == ("2026-11-18", 4)
    autumn, spring, unknown, winter = report["items"]
    assert [it["campaign"] for it in report["items"]] == ["autumn", "spring", None, "winter"]
    counts = ("qualified", "accepted", "rejected", "contacted", "won", "customers")
    assert [autumn[it] for it in counts] == [3, 2, 1, 2, 2, 2]
    assert (autumn["spend"], autumn["spend_days"], autumn["spend_prorated"]) == (30.0, 3, True)
    assert (autumn["cost_per_qualified"], autumn["cost_per_win"], autumn["cac"]) == (
        10.0,
        15.0,
        15.0,
    )
    assert {autumn["attributed"], spring["attributed"]} == {50.0, 50.01}
    assert autumn["roi"] == pytest.approx((autumn["attributed"] - 30) / 30)
    assert (spring["spend"], spring["spend_prorated"], spring["won"]) == (6.44, False, 0)
    assert (spring["cost_per_win"], spring["cost_not_computed"]) == (None, None)
    assert (unknown["rejected"], unknown["attributed"]) == (1, 46.0)
    assert (unknown["spend"], unknown["cost_not_computed"]) == (None, "no_spend")
    assert (winter["won"], winter["attributed"], winter["roi_not_computed"]) == (1, 0.0, "no_spend")

    total = report["total"]
    assert [total[it] for it in counts] == [5, 3, 2, 3, 3, 3]
    assert (total["spend"], total["attributed"], total["cac"]) == (36.44, 146.01, 12.15)
    assert total["roi"] == pytest.approx((146.01 - 36.44) / 36.44)
    assert report["lifetime_value"] == 2920.2  # 146.01 / 2 x 0.8 / 0.02
    assert sum(it["attributed"] for it in report["items"]) == pytest.approx(total["attributed"])


def test_amounts_without_a_rate_are_apart_and_never_added(
    client: TestClient, sessions: Sessions
) -> None:
    publish_money(sessions, {"currency": "EUR"})
    spend(client, "autumn")
    spend(client, "spring", currency="GBP")

    report = table(client)

    spring, unknown = rows(report)["spring"], rows(report)[None]
    assert (spring["spend"], spring["spend_apart"]) == (0.0, [{"currency": "GBP", "amount": 15.0}])
    assert (spring["cac"], spring["cost_not_computed"]) == (None, "no_rate")
    assert (spring["roi"], spring["roi_not_computed"]) == (None, "no_rate")
    assert (unknown["attributed"], unknown["attributed_apart"]) == (
        0.0,
        [{"currency": "USD", "amount": 50.0}],
    )
    assert report["total"]["spend"] == 15.0
    assert report["total"]["cost_not_computed"] == "no_rate"
    assert report["lifetime_not_computed"] == "no_terms"


def test_without_an_agreement_nothing_is_added(sessions: Sessions) -> None:
    with sessions.begin() as session:
        key = create_key(session, scope=KeyScope.OPS, subject="ops", now=NOON)
    app = build_api(sessions, time_source=lambda: NOON)
    with TestClient(app, headers={"authorization": f"Bearer {key}"}) as client:
        spend(client, "autumn")
        report = table(client)

    [autumn] = report["items"]
    assert (report["currency"], report["agreement_version"]) == (None, None)
    assert (autumn["spend"], autumn["spend_apart"]) == (None, [{"currency": "EUR", "amount": 15.0}])
    assert (autumn["cost_not_computed"], autumn["attributed"]) == ("no_money", None)
    assert report["lifetime_not_computed"] == "no_money"


def test_the_table_as_csv_and_its_limit(client: TestClient) -> None:
    spend(client, "autumn", amount=70)

    got = client.get("/v1/campaigns", params={"period": "2026-11", "format": "csv"})
    short = table(client, limit=1)

    lines = list(DictReader(StringIO(got.text, newline="")))
    autumn = lines[0]
    assert (autumn["campaign"], autumn["spend"], autumn["currency"]) == ("autumn", "30.0", "EUR")
    assert len(lines) == short["campaigns"] == 4
    assert [it["campaign"] for it in short["items"]] == ["autumn", None]
    assert short["others_campaigns"] == 2


def test_a_period_that_has_not_begun_costs_nothing_yet(client: TestClient) -> None:
    spend(client, "autumn", period="2026-Q4")

    assert table(client, period="2026-12")["items"] == []
    assert table(client, period="2026-10")["total"]["spend"] == 11.79  # 35 x 31 / 92, rounded down
    assert table(client, 422, period="2026-13")["code"] == "bad_period"


def test_outcomes_of_one_campaign(client: TestClient) -> None:
    url = "/v1/campaigns/autumn/outcomes"
    outcome = client.get(url, params={"period": "2026-11"}).json()
    [line] = DictReader(
        StringIO(client.get(url, params={"period": "2026-11", "format": "csv"}).text, newline="")
    )

    assert outcome == {
        "campaign": "autumn",
        "since": "2026-11-01",
        "until": "2026-11-30",
        "qualified": 3,
        "accepted": 2,
        "rejected": 1,
        "rejections": [{"reason": "timing", "count": 1}],
        "contacted": 2,
        "won": 2,
        "revenue": [{"currency": "EUR", "amount": 100.01}, {"currency": "USD", "amount": 50.0}],
        "wins_without_amount": 0,
    }
    assert (line["rejections"], line["revenue"]) == ("timing=1", "100.01 EUR 50.00 USD")
    winter = client.get("/v1/campaigns/winter/outcomes", params={"period": "2026-W47"}).json()
    assert (winter["won"], winter["wins_without_amount"], winter["revenue"]) == (1, 1, [])
    nothing = client.get("/v1/campaigns/no/such/outcomes", params={"period": "2026-11"}).json()
    assert (nothing["campaign"], nothing["qualified"], nothing["rejections"]) == ("no/such", 0, [])


def test_each_thing_counts_on_the_day_it_happened(client: TestClient, sessions: Sessions) -> None:
    with sessions.begin() as session:
        early = {"lead": "rosa", "qualified_at": NOON.replace(month=10)}
        won = step(Change.WON, YESTERDAY, amount=1.0, currency="EUR", **early)
        assigned = step(Change.ASSIGNED, YESTERDAY, **early)
        read(session, qualified("rosa", at=NOON.replace(month=10)), *numbered(assigned, won))

    october = client.get("/v1/campaigns/autumn/outcomes", params={"period": "2026-10"}).json()
    day = {"since": "2026-11-17", "until": "2026-11-17"}
    yesterday = client.get("/v1/campaigns/autumn/outcomes", params=day).json()

    counts = ("qualified", "accepted", "contacted", "won")
    assert [october[it] for it in counts] == [1, 0, 0, 0]
    assert [yesterday[it] for it in counts] == [0, 1, 1, 1]
