"""What campaigns cost, over HTTP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from csv import DictReader
from io import StringIO
from typing import Any

import pytest
from fastapi.testclient import TestClient

from services.alignment.main import build_api
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.db.session import Sessions
from tests.builders import NOON

pytestmark = pytest.mark.postgres

NOVEMBER = {"period": "2026-11", "amount": 4200.5, "currency": "EUR"}


@pytest.fixture
def client(sessions: Sessions) -> Iterator[TestClient]:
    with sessions.begin() as session:
        key = create_key(session, scope=KeyScope.OPS, subject="ops", now=NOON)
    app = build_api(sessions, time_source=lambda: NOON)
    with TestClient(app, headers={"authorization": f"Bearer {key}"}) as client:
        yield client


def put(client: TestClient, status: int = 200, campaign: str = "autumn", **fields: Any) -> Any:
    got = client.put(f"/v1/campaigns/{campaign}/spend", json={**NOVEMBER, **fields})
    assert got.status_code == status, got.text
    return got.json()


def listed(client: TestClient, campaign: str = "autumn", **parameters: Any) -> list[Any]:
    got = client.get(f"/v1/campaigns/{campaign}/spend", params=parameters)
    assert got.status_code == 200, got.text
    items: list[Any] = got.json()["items"]
    return items


def test_the_latest_version_counts_and_all_are_kept(client: TestClient) -> None:
    assert put(client) == put(client) == put(client, version=1)
    corrected = put(client, amount=4300, version=5)
    late = put(client, amount=1, version=3)

    assert late == corrected
    assert corrected == {
        "campaign": "autumn",
        "period": "2026-11",
        "since": "2026-11-01",
        "until": "2026-11-30",
        "version": 5,
        "counts": True,
        "amount": 4300.0,
        "currency": "EUR",
        "recorded_at": "2026-11-18T12:00:00Z",
    }
    versions = listed(client)
    assert [(it["version"], it["amount"], it["counts"]) for it in versions] == [
        (5, 4300.0, True),
        (3, 1.0, False),
        (1, 4200.5, False),
    ]


def test_the_list_has_pages_and_is_csv(client: TestClient) -> None:
    for period in ("2026-09", "2026-10", "2026-11"):
        put(client, period=period)
    url = "/v1/campaigns/autumn/spend"

    page = client.get(url, params={"limit": 2}).json()
    rest = client.get(url, params={"limit": 2, "after": page["next"]}).json()
    rows = DictReader(StringIO(client.get(url, params={"format": "csv"}).text, newline=""))

    assert [it["period"] for it in page["items"] + rest["items"]] == [
        "2026-11",
        "2026-10",
        "2026-09",
    ]
    assert rest["next"] is None
    assert [(it["period"], it["amount"], it["currency"]) for it in rows] == [
        ("2026-11", "4200.5", "EUR"),
        ("2026-10", "4200.5", "EUR"),
        ("2026-09", "4200.5", "EUR"),
    ]
    assert listed(client, "another") == []


def test_a_campaign_may_have_any_name(client: TestClient) -> None:
    name = "2026/Q4 - Wärme & Co."

    put(client, campaign=name)

    assert [it["campaign"] for it in listed(client, name)] == [name]
    assert [it["campaign"] for it in listed(client, "2026%2FQ4 - Wärme & Co.")] == [name]


def test_a_campaign_has_its_name_without_what_cannot_be_seen(client: TestClient) -> None:
    assert put(client, campaign="%EF%BB%BF autumn%20%09sale")["campaign"] == "autumn sale"

    assert [it["campaign"] for it in listed(client, "autumn sale")] == ["autumn sale"]


@pytest.mark.parametrize(
    ("fields", "code", "word"),
    [
        ({"amount": -1}, "invalid_request", "amount"),
        ({"amount": 1.005}, "invalid_request", "amount"),
        ({"amount": "NaN"}, "invalid_request", "amount"),
        ({"amount": 1e300}, "invalid_request", "amount"),
        ({"currency": "EURO"}, "invalid_request", "ISO 4217"),
        ({"currency": "XXX"}, "invalid_request", "ISO 4217"),
        ({"currency": None}, "invalid_request", "go together"),
        ({"version": 0}, "invalid_request", "version"),
        ({"version": 2**31}, "invalid_request", "version"),
        ({"period": "November"}, "bad_period", "2026-W47"),
        ({"period": "2026-13"}, "bad_period", "01 to 12"),
        ({"campaign": "x" * 300}, "invalid_request", "200"),
        ({"campaign": "%EF%BB%BF%20"}, "invalid_request", "0 characters"),
        ({"campaign": "W%E4rme"}, "invalid_request", "UTF-8"),
        ({"budget": 1}, "invalid_request", "budget"),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_is_kept(
    client: TestClient, fields: dict[str, Any], code: str, word: str
) -> None:
    problem = put(client, 422, **fields)

    assert problem["code"] == code
    assert word in problem["message"]
    assert "Value error" not in problem["message"]
    assert listed(client) == []


def test_a_week_of_a_month_that_is_kept_would_count_twice(client: TestClient) -> None:
    put(client)

    problem = put(client, 409, period="2026-W47")
    withdrawn = put(client, amount=None, currency=None)

    assert problem["code"] == "overlapping_spend"
    assert "2026-11" in problem["message"]
    assert (withdrawn["version"], withdrawn["amount"], withdrawn["currency"]) == (2, None, None)
    assert put(client, period="2026-W47")["version"] == 1
    assert put(client, 409, amount=7)["code"] == "overlapping_spend"


def test_a_version_is_not_replaced(client: TestClient) -> None:
    put(client, version=2)

    assert put(client, 409, version=2, amount=1)["code"] == "version_taken"
    assert len(listed(client)) == 1


def test_amounts_that_come_at_once_each_have_a_version(client: TestClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda amount: put(client, amount=amount), range(8)))

    assert [it["version"] for it in listed(client)] == [8, 7, 6, 5, 4, 3, 2, 1]


def test_of_two_periods_that_come_at_once_one_is_kept(client: TestClient) -> None:
    def status(period: str) -> int:
        body = {**NOVEMBER, "period": period}
        return client.put("/v1/campaigns/autumn/spend", json=body).status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(status, ["2026-11", "2026-W47", "2026-W48", "2026-Q4"]))

    kept = [it["period"] for it in listed(client)]
    assert sorted(kept) in (["2026-11"], ["2026-Q4"], ["2026-W47", "2026-W48"])
    assert statuses.count(200) == len(kept)


def parts(client: TestClient, **parameters: Any) -> list[Any]:
    """What is behind the cost of a period, on pages of two."""
    items: list[Any] = []
    after: str | None = ""
    while after is not None:
        query = {"limit": 2, **parameters, **({"after": after} if after else {})}
        got = client.get("/v1/spend", params=query)
        assert got.status_code == 200, got.text
        page = got.json()
        assert len(page["items"]) <= 2
        items += page["items"]
        after = page["next"]
    return items


def test_the_amounts_of_a_period_sum_to_the_cost_of_all_campaigns(client: TestClient) -> None:
    """Versions that do not count, amounts that are not known any more, and periods outside are in no sum."""
    put(client, amount=3000)
    put(client, amount=4300.01)
    put(client, period="2026-12", amount=31)
    put(client, campaign="spring", period="2026-W46", amount=70)
    put(client, campaign="spring", period="2026-W47", amount=7.03)
    put(client, campaign="winter", amount=5)
    put(client, campaign="winter", amount=None, currency=None)
    put(client, campaign="älter/2025 ✓", period="2026-Q4", amount=920)

    for since, until in (("2026-11-01", "2026-11-30"), ("2026-11-15", "2026-11-17")):
        days = {"since": since, "until": until}
        items = parts(client, **days)
        cost: Counter[str] = Counter()
        for part in items:
            cost[part["campaign"]] += round(100 * part["counted"])
        table = client.get("/v1/campaigns", params=days).json()
        # without a section `money` all costs are apart
        known = {it["campaign"]: it["spend_apart"] for it in table["items"] if it["spend_apart"]}
        assert {name: round(100 * it[0]["amount"]) for name, it in known.items()} == cost
        assert sum(cost.values()) == round(100 * table["total"]["spend_apart"][0]["amount"])
        assert len(cost) == 3
        file = client.get("/v1/spend", params={**days, "format": "csv"}).text
        rows = list(DictReader(StringIO(file, newline="")))
        assert [(it["campaign"], it["counted"]) for it in rows] == [
            (it["campaign"], str(it["counted"])) for it in items
        ]
        assert parts(client, **days, campaign="spring") == [
            it for it in items if it["campaign"] == "spring"
        ]

    [first, *_] = parts(client, period="2026-11")
    assert first == {
        "campaign": "autumn", "period": "2026-11", "since": "2026-11-01", "until": "2026-11-30", "version": 2,
        "amount": 4300.01, "counted": 2580.0, "currency": "EUR", "recorded_at": first["recorded_at"],
    }  # fmt: skip
    assert parts(client, period="2026-12") == [], "it has not begun"
    assert client.get("/v1/spend", params={"period": "2026-W60"}).json()["code"] == "bad_period"
    assert client.get("/v1/spend", params={"after": "x"}).json()["code"] == "bad_cursor"
