"""A sender that invents 30,000 campaigns: reports list the first ones, and sum the others, and nothing is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from csv import DictReader
from io import StringIO
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from services.alignment.main import build_api
from shared.agreement.model import AttributionModel
from shared.agreement.store import publish
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.db.session import Sessions
from shared.http.csv_tables import MAX_CSV_ROWS
from tests.builders import DEFAULT_SECTIONS, NOON

pytestmark = pytest.mark.postgres

CAMPAIGNS, WINS = 30_000, 2_000
AUTUMN, UNKNOWN = 7, 3
"""Leads of a real campaign, and of none."""
ADD = """
    with lead as (
        select gen_random_uuid() as lead_id, number, cast(:at as timestamptz) - number % 5 * interval '1 day' as at,
            case when number <= :campaigns then 'invented ' || number
                when number <= :campaigns + :autumn then 'autumn' end as campaign
        from generate_series(1, cast(:all as integer)) as number
    ), known as (
        insert into alignment.leads (lead_id, sequence, known_at, campaign) select lead_id, 1, at, campaign from lead
    ), touched as (
        insert into alignment.touches (lead_id, qualification, occurred_at, touches, omitted)
        select lead_id, 1, at,
            jsonb_build_array(jsonb_build_object('at', at, 'channel', 'email', 'campaign', campaign)), 0
        from lead where number <= :wins
    )
    insert into alignment.handoffs (
        lead_id, qualification, qualified_at, closed_at, outcome, currency, amount_cents, campaign, accepted_at
    )
    select lead_id, 1, at, at, case when number <= :wins then 'won' end,
        case when number <= :wins then case when number % 2 = 0 then 'EUR' else 'USD' end end,
        case when number <= :wins then number end, campaign, case when number % 3 = 0 then at end
    from lead
"""
NUMBERS = {
    "campaigns": CAMPAIGNS,
    "autumn": AUTUMN,
    "all": CAMPAIGNS + AUTUMN + UNKNOWN,
    "wins": WINS,
}


@pytest.fixture(scope="module")
def client(module_sessions: Sessions) -> Iterator[TestClient]:
    """The API with a key of ops."""
    with module_sessions.begin() as session:
        publish(session, json.dumps(DEFAULT_SECTIONS), by="test", now=NOON)
        key = create_key(session, scope=KeyScope.OPS, subject="ops", now=NOON)
        session.execute(text(ADD), {"at": NOON, **NUMBERS})
    app = build_api(module_sessions, time_source=lambda: NOON)
    with TestClient(app, headers={"authorization": f"Bearer {key}"}) as client:
        yield client


def report(client: TestClient, path: str, **parameters: Any) -> Any:
    got = client.get(path, params={"period": "2026-11", **parameters})
    assert got.status_code == 200, got.text
    return got.json()


def rows_of(client: TestClient, path: str, **parameters: Any) -> list[dict[str, str]]:
    """The rows of the report as CSV."""
    got = client.get(path, params={"period": "2026-11", "format": "csv", **parameters})
    return list(DictReader(StringIO(got.text, newline="")))


def counts(row: Mapping[str, Any], *names: str) -> list[int]:
    """These counts of a row of JSON or CSV."""
    return [int(row[it]) for it in names]


STAGES = ("known", "engaged", "qualified", "accepted", "won", "wins_without_amount")


def test_the_funnel_lists_the_campaigns_with_most_leads_and_sums_the_others(
    client: TestClient,
) -> None:
    funnel = report(client, "/v1/alignment", by="campaign", limit=100)

    items, others, total = funnel["items"], funnel["others"], funnel["total"]
    assert [items[0]["group"], items[-1]["group"]] == ["autumn", None]
    assert len(items) == 100 + 1
    assert funnel["groups"] == CAMPAIGNS + 2 == len(items) + funnel["others_groups"]
    summed = [sum(it) for it in zip(*(counts(it, *STAGES) for it in (*items, others)), strict=True)]
    assert summed == counts(total, *STAGES)
    assert total["known"] == total["qualified"] == CAMPAIGNS + AUTUMN + UNKNOWN
    for amount in total["revenue"]:
        parts = [money for it in (*items, others) for money in it["revenue"]]
        of_currency = [it for it in parts if it["currency"] == amount["currency"]]
        assert round(sum(it["amount"] for it in of_currency), 2) == amount["amount"]


def test_few_groups_are_listed_all(client: TestClient) -> None:
    funnel = report(client, "/v1/alignment", by="channel", limit=1)

    assert (funnel["groups"], funnel["others"], funnel["others_groups"]) == (1, None, 0)


@pytest.mark.parametrize("limit", [0, 5_001])
def test_a_list_has_a_length_that_an_answer_can_have(client: TestClient, limit: int) -> None:
    got = client.get("/v1/alignment", params={"limit": limit})

    assert (got.status_code, got.json()["code"]) == (422, "invalid_request")


def test_a_funnel_as_csv_ends_with_the_sum_of_the_others(client: TestClient) -> None:
    rows = rows_of(client, "/v1/alignment", by="campaign")

    assert len(rows) == MAX_CSV_ROWS + 2
    assert (rows[-1]["group"], rows[-1]["groups"]) == ("", str(CAMPAIGNS + 1 - MAX_CSV_ROWS))
    assert sum(int(it["groups"]) for it in rows) == CAMPAIGNS + 2
    assert sum(int(it["qualified"]) for it in rows) == CAMPAIGNS + AUTUMN + UNKNOWN


def test_the_table_of_campaigns_sums_the_others(client: TestClient) -> None:
    columns = ("qualified", "accepted", "rejected", "contacted", "won", "customers")
    table = report(client, "/v1/campaigns", limit=50)

    rows = [*table["items"], table["others"]]
    summed = [sum(it) for it in zip(*(counts(it, *columns) for it in rows), strict=True)]
    assert summed == counts(table["total"], *columns)
    assert table["campaigns"] == CAMPAIGNS + 2 == len(table["items"]) + table["others_campaigns"]
    lines = rows_of(client, "/v1/campaigns")
    assert sum(int(it["campaigns"]) for it in lines) == CAMPAIGNS + 2
    assert sum(int(it["won"]) for it in lines) == WINS


def test_credit_of_the_others_is_summed_by_currency(client: TestClient) -> None:
    credit = report(client, "/v1/attribution", limit=20)

    rows = [*credit["items"], *credit["others"]]
    assert credit["groups"] == WINS == len(credit["items"]) + credit["others_groups"]
    assert [it["currency"] for it in credit["others"]] == ["EUR", "USD"]
    for model in AttributionModel:
        assert round(sum(it[model] for it in rows) * 100) == sum(range(1, WINS + 1))
    lines = rows_of(client, "/v1/attribution")
    assert sum(int(it["groups"]) for it in lines) == WINS


def test_wins_come_page_by_page_and_sum_to_the_figure(client: TestClient) -> None:
    wins: list[Any] = []
    after = None
    while len(wins) <= WINS:
        page = report(
            client, "/v1/attribution/wins", limit=450, **({"after": after} if after else {})
        )
        if after is None:
            assert page["wins"] == WINS
            cents = sum(round(100 * it["amount"]) for it in page["credit"])
            assert cents == sum(range(1, WINS + 1))
        else:
            assert (page["wins"], page["credit"]) == (None, None)
        wins += page["items"]
        after = page["next"]
        if after is None:
            break

    assert len({it["lead_id"] for it in wins}) == len(wins) == WINS
    assert [it["won_at"] for it in wins] == sorted((it["won_at"] for it in wins), reverse=True)
    assert round(sum(it["credit"] for it in wins) * 100) == sum(range(1, WINS + 1))
    [own] = report(client, "/v1/attribution/wins", group="invented 77")["items"]
    assert (own["amount"], own["currency"]) == (0.77, "USD")
    assert len(rows_of(client, "/v1/attribution/wins", currency="EUR")) == WINS // 2


@pytest.mark.parametrize(
    "parameters",
    [{}, {"measure": "acceptance_rate"}, {"measure": "attainment", "of": "first_touch"}],
)
def test_a_condition_is_evaluated_for_what_the_figure_counts_alone(
    client: TestClient, parameters: dict[str, str]
) -> None:
    """20,000 campaigns in another month do not matter."""
    path = "/v1/alignment/leads" if parameters else "/v1/measures"
    october = {"period": "2026-10", "where": 'campaign == "autumn"', **parameters}

    assert client.get(path, params=october).status_code == 200
    got = client.get(path, params={**october, "period": "2026-11"})
    if parameters.get("measure") == "attainment":
        assert got.status_code == 200
    else:
        assert (got.status_code, got.json()["code"]) == (422, "bad_condition")
        assert "name a shorter one" in got.json()["message"]
