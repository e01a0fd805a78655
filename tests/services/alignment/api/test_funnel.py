"""The funnel over HTTP, and the leads behind it."""

from __future__ import annotations

from collections.abc import Iterator
from csv import DictReader
from io import StringIO
from typing import Any

import pytest
from fastapi.testclient import TestClient

from services.alignment.main import build_api
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.contracts.payloads import Change, ClockChange, Touch
from shared.contracts.touches import TouchCause
from shared.db.session import Sessions
from tests.builders import NOON, days, minutes, sla_changed
from tests.services.alignment.builders import history, lead_touched, numbered, qualified, read, step

pytestmark = pytest.mark.postgres


@pytest.fixture
def client(sessions: Sessions) -> Iterator[TestClient]:
    """The API with a key of ops, at noon of 18 November, a Wednesday of the week 47.

    Grace won Ada's lead of the campaign autumn, and another for dollars; Linus rejected one without a campaign.
    One more has not reached routing.
    """
    with sessions.begin() as session:
        key = create_key(session, scope=KeyScope.OPS, subject="ops", now=NOON)
        for lead, currency in (("ada", "EUR"), ("emmy", "USD")):
            won = step(Change.WON, 9, lead=lead, amount=12_000.5, currency=currency)
            read(session, qualified(lead), *numbered(step(Change.ASSIGNED, lead=lead), won))
        refused: dict[str, Any] = {"lead": "alan", "rep": "linus", "campaign": None}
        steps = [
            step(Change.ASSIGNED, **refused),
            step(Change.REJECTED, 5, reason="student", **refused),
        ]
        read(session, qualified("alan", None, persona="champion"), *numbered(*steps))
        read(session, lead_touched("autumn", cause=TouchCause.QUALIFIED))
        read(session, qualified("kurt", at=NOON - days(20)))
        read(session, sla_changed(ClockChange.MET), sla_changed(policy="accept"))
    app = build_api(sessions, time_source=lambda: NOON)
    with TestClient(app, headers={"authorization": f"Bearer {key}"}) as client:
        yield client


def funnel(client: TestClient, status: int = 200, **parameters: Any) -> Any:
    got = client.get("/v1/alignment", params=parameters)
    assert got.status_code == status, got.text
    return got.json()


def test_a_week_by_campaign(client: TestClient) -> None:
    report = funnel(client, period="2026-W47", by="campaign")

    assert (report["since"], report["until"]) == ("2026-11-16", "2026-11-22")
    autumn, unknown = report["items"]
    assert (autumn["group"], autumn["qualified"], autumn["accepted"]) == ("autumn", 2, 2)
    assert (autumn["won"], autumn["win_rate"], autumn["acceptance_rate"]) == (2, 1.0, 1.0)
    assert autumn["revenue"] == [
        {"currency": "EUR", "amount": 12_000.5, "wins": 1},
        {"currency": "USD", "amount": 12_000.5, "wins": 1},
    ]
    assert (autumn["promises_met"], autumn["promises_broken"]) == (1, 1)
    assert (autumn["attainment"], autumn["first_version"], autumn["last_version"]) == (0.5, 1, 1)
    assert (unknown["group"], unknown["rejected"], unknown["contacted"]) == (None, 1, 0)
    assert unknown["acceptance_rate"] == 0.0
    assert report["total"]["qualified"] == 3


@pytest.mark.parametrize(
    ("parameters", "qualified"),
    [
        ({}, 4),
        ({"period": "2026-10"}, 1),
        ({"period": "2026-Q4"}, 4),
        ({"since": "2026-11-18", "until": "2026-11-18"}, 3),
        ({"period": "2026-11", "rep": "linus"}, 1),
        ({"period": "2026-11", "campaign": ""}, 1),
        ({"period": "2026-Q4", "team": ""}, 1),
        ({"period": "2026-11", "source": "website", "tier": "standard", "team": "sales"}, 3),
        ({"period": "2026-11", "tier": "nonesuch"}, 0),
        ({"period": "2026-11", "channel": "email"}, 1),
        ({"period": "2026-11", "where": 'channel == "email" || persona == "champion"'}, 2),
        ({"period": "2026-11", "where": 'campaign == "" && tier == "standard"'}, 1),
        ({"period": "2026-11", "where": 'campaign == "autumn"', "rep": "grace"}, 2),
        ({"period": "2026-Q4", "where": 'team == "nonesuch"'}, 0),
        ({"period": "2026-11", "channel": "", "persona": "champion"}, 1),
    ],
)
def test_the_parameters_select_leads(
    client: TestClient, parameters: dict[str, Any], qualified: int
) -> None:
    report = funnel(client, **parameters)
    leads = client.get("/v1/alignment/leads", params=parameters).json()

    assert report["total"]["qualified"] == qualified
    assert sum(it["qualified"] for it in report["items"]) == qualified
    assert len(leads["items"]) == qualified


@pytest.mark.parametrize(
    ("by", "groups"),
    [("channel", [("email", 1), (None, 2)]), ("persona", [("champion", 1), (None, 2)])],
)
def test_a_week_by_channel_and_by_persona(
    client: TestClient, by: str, groups: list[tuple[str | None, int]]
) -> None:
    report = funnel(client, period="2026-W47", by=by)

    assert [(it["group"], it["qualified"]) for it in report["items"]] == groups


def test_a_lead_says_by_which_channel_it_came_and_how_fast_it_was_handed_over(
    client: TestClient, sessions: Sessions
) -> None:
    demo = Touch(id="1", type="demo_requested", time=NOON - minutes(3))
    with sessions.begin() as session:
        lead: dict[str, Any] = {"lead": "grete"}
        steps = [step(Change.ASSIGNED, **lead), step(Change.CONTACTED, 4, hop=1, **lead)]
        read(
            session, qualified(why_now=demo, traits={"company": "Acme"}, **lead), *numbered(*steps)
        )
        read(session, lead_touched(None, cause=TouchCause.QUALIFIED, channel="social", **lead))

    parameters = {"period": "2026-11", "channel": "social"}
    [item] = client.get("/v1/alignment/leads", params=parameters).json()["items"]

    assert (item["channel"], item["traits"], item["accepted_hop"]) == ("social", ["company"], 1)
    assert (item["triggered_at"], item["assigned_at"]) == (
        "2026-11-18T11:57:00Z",
        "2026-11-18T12:00:00Z",
    )
    assert item["attempted_at"] == ["2026-11-18T12:04:00Z"]
    assert "Acme" not in str(item)


def test_nobody_has_an_empty_total(client: TestClient) -> None:
    report = funnel(client, period="2020-01")

    assert report["items"] == []
    assert report["total"]["qualified"] == 0
    assert report["total"]["acceptance_rate"] is None
    assert report["total"]["first_version"] is None


@pytest.mark.parametrize(
    ("parameters", "code", "message"),
    [
        ({"period": "2026-W60"}, "bad_period", "last one is 53"),
        ({"period": "2026-13"}, "bad_period", "01 to 12"),
        ({"period": "last week"}, "bad_period", "2026-W47"),
        ({"period": "2026-11", "since": "2026-11-01"}, "bad_period", "not both"),
        ({"since": "2026-11-02", "until": "2026-11-01"}, "empty_range", "since"),
        ({"since": "2020-01-01"}, "bad_period", "366 days"),
        ({"by": "phase_of_moon"}, "invalid_request", "by"),
        ({"where": 'channel = "email"'}, "bad_condition", "at character 9"),
        ({"where": 'rep == "grace"'}, "bad_condition", "rep"),
    ],
)
def test_a_bad_period_is_refused_and_says_what_to_write(
    client: TestClient, parameters: dict[str, Any], code: str, message: str
) -> None:
    problem = funnel(client, 422, **parameters)

    assert problem["code"] == code
    assert message in problem["message"]


@pytest.mark.parametrize("stage", ["qualified", "assigned", "accepted", "rejected", "won", "lost"])
def test_every_figure_opens_its_leads(client: TestClient, stage: str) -> None:
    report = funnel(client, period="2026-11", by="rep")
    for group in report["items"]:
        parameters = {"period": "2026-11", "stage": stage, "rep": group["group"]}
        leads = client.get("/v1/alignment/leads", params=parameters).json()["items"]
        assert len(leads) == group[stage]


def test_leads_come_page_by_page_and_without_names(client: TestClient) -> None:
    parameters = {"period": "2026-Q4", "limit": "3"}
    first = client.get("/v1/alignment/leads", params=parameters).json()
    second = client.get("/v1/alignment/leads", params={**parameters, "after": first["next"]}).json()

    leads = [*first["items"], *second["items"]]
    assert second["next"] is None
    assert len({it["lead_id"] for it in leads}) == 4
    assert [it["qualified_at"] for it in leads] == sorted(
        (it["qualified_at"] for it in leads), reverse=True
    )
    assert {it["amount"] for it in leads} == {None, 12_000.5}
    assert not any("name" in name or "email" in name for name in leads[0])


def test_reports_and_leads_as_csv(client: TestClient) -> None:
    def rows(path: str, **parameters: str) -> list[dict[str, str]]:
        got = client.get(path, params={"format": "csv", "period": "2026-11", **parameters})
        assert got.headers["content-type"] == "text/csv; charset=utf-8"
        return list(DictReader(StringIO(got.text, newline="")))

    autumn, unknown = rows("/v1/alignment", by="campaign")
    assert (autumn["group"], autumn["won"], autumn["since"]) == ("autumn", "2", "2026-11-01")
    assert autumn["revenue"] == "12000.50 EUR 12000.50 USD"
    assert (unknown["group"], unknown["revenue"]) == ("", "")
    assert len(rows("/v1/alignment/leads", stage="won")) == 2


def test_a_win_without_an_amount_is_a_win(client: TestClient, sessions: Sessions) -> None:
    with sessions.begin() as session:
        read(session, *history(step(Change.CONTACTED, 2)))
        lead: dict[str, Any] = {"lead": "grete"}
        read(session, *numbered(step(Change.ASSIGNED, **lead), step(Change.WON, 3, **lead)))

    total = funnel(client, period="2026-11")["total"]

    assert (total["won"], total["wins_without_amount"]) == (3, 1)
    assert [it["wins"] for it in total["revenue"]] == [1, 1]
