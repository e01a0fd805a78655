"""The first two stages of the funnel over HTTP, and the leads behind them."""

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
from shared.contracts.topics import LEADS_KNOWN
from shared.db.session import Sessions
from shared.messaging import backfills
from tests.builders import NOON, an_id, days, minutes
from tests.services.alignment.builders import lead_known, qualified, read

pytestmark = pytest.mark.postgres

AUTUMN: dict[str, Any] = {"campaign": "autumn", "channel": "email", "source": "website"}
WEEK = {"period": "2026-W47"}


@pytest.fixture
def sender(sessions: Sessions) -> Iterator[TestClient]:
    """The API with a key of ops, at noon of 18 November, a Wednesday of the week 47; nothing is known yet."""
    with sessions.begin() as session:
        key = create_key(session, scope=KeyScope.OPS, subject="ops", now=NOON)
    app = build_api(sessions, time_source=lambda: NOON)
    with TestClient(app, headers={"authorization": f"Bearer {key}"}) as client:
        yield client


@pytest.fixture
def client(sender: TestClient, sessions: Sessions) -> TestClient:
    """Three leads are known since this week, one of which is engaged; one since last week, and engaged in this one.

    One more was merged into another lead. One of the campaign winter qualified, which nobody knew before.
    """
    last_week = NOON - days(7)
    with sessions.begin() as session:
        read(
            session,
            lead_known("ada", engaged_at=NOON + minutes(1), **AUTUMN),
            lead_known("bob", known_at=NOON - days(1), persona="champion", **AUTUMN),
            lead_known("eve", known_at=NOON - minutes(9)),
            lead_known("kurt", known_at=last_week, engaged_at=NOON, **AUTUMN),
            lead_known("gone", sequence=2, merged_into=an_id("ada"), **AUTUMN),
            qualified("grete", "winter"),
        )
    return sender


def report(client: TestClient, **parameters: Any) -> Any:
    got = client.get("/v1/alignment", params={**WEEK, **parameters})
    assert got.status_code == 200, got.text
    return got.json()


def counts(item: Any) -> tuple[Any, ...]:
    return item["group"], item["known"], item["engaged"], item["qualified"]


def test_a_week_by_campaign_counts_leads_by_when_they_became_so(client: TestClient) -> None:
    week = report(client, by="campaign")

    assert [counts(it) for it in week["items"]] == [
        ("winter", 0, 0, 1),
        ("autumn", 2, 2, 0),
        (None, 1, 0, 0),
    ]
    assert counts(week["total"]) == (None, 3, 2, 1)
    assert [it["engaged_rate"] for it in week["items"]] == [None, 1.0, 0.0]
    assert (week["total"]["engaged_rate"], week["total"]["qualified_rate"]) == (2 / 3, 0.5)
    assert counts(report(client, period="2026-W46")["total"]) == (None, 1, 0, 0)


@pytest.mark.parametrize("by", ["tier", "team", "rep"])
def test_groups_that_leads_do_not_have_before_they_qualify_are_not_counted(
    client: TestClient, by: str
) -> None:
    week = report(client, by=by)

    assert [(it["known"], it["engaged"]) for it in week["items"]] == [(None, None)]
    assert counts(week["total"]) == (None, 3, 2, 1)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"campaign": "autumn"}, (2, 2)),
        ({"campaign": ""}, (1, 0)),
        ({"persona": "champion"}, (1, 0)),
        ({"source": "website", "channel": "email"}, (2, 2)),
        ({"channel": "nonesuch"}, (0, 0)),
        ({"where": 'campaign == "autumn" && persona == ""'}, (1, 2)),
        ({"where": 'source == ""'}, (1, 0)),
        ({"where": 'source == "nonesuch"'}, (0, 0)),
        ({"where": "true"}, (3, 2)),
        ({"where": "false"}, (0, 0)),
        ({"where": 'campaign == "autumn"', "persona": "champion"}, (1, 0)),
        ({"where": 'tier == "hot" || campaign == "autumn"'}, (None, None)),
        ({"team": ""}, (None, None)),
        ({"rep": "grace"}, (None, None)),
        ({"tier": "hot", "campaign": "autumn"}, (None, None)),
    ],
)
@pytest.mark.parametrize("by", ["channel", "team"])
def test_the_parameters_select_known_leads(
    client: TestClient, parameters: dict[str, Any], expected: tuple[Any, Any], by: str
) -> None:
    week = report(client, by=by, **parameters)

    assert (week["total"]["known"], week["total"]["engaged"]) == expected
    if by == "channel":
        assert sum(it["known"] or 0 for it in week["items"]) == (expected[0] or 0)
    for stage, number in zip(("known", "engaged"), expected, strict=True):
        got = client.get("/v1/alignment/leads", params={**WEEK, **parameters, "stage": stage})
        if number is None:
            assert (got.status_code, got.json()["code"]) == (422, "bad_measure")
            assert "before they qualify" in got.json()["message"]
        else:
            assert len(got.json()["items"]) == number


def test_before_anything_is_announced_the_figures_are_unknown(sender: TestClient) -> None:
    total = report(sender, by="campaign")["total"]

    assert (total["known"], total["engaged"], total["engaged_rate"]) == (None, None, None)
    assert total["qualified_rate"] is None


def test_while_leads_of_before_are_still_announced_the_report_says_so(
    client: TestClient, sessions: Sessions
) -> None:
    assert report(client, by="campaign")["is_known_complete"]
    with sessions.begin() as session:
        backfills.note_running(session, LEADS_KNOWN.name, NOON)

    assert not report(client, by="campaign")["is_known_complete"]
    text = client.get("/v1/alignment", params={**WEEK, "by": "campaign", "format": "csv"}).text
    assert {it["is_known_complete"] for it in DictReader(StringIO(text, newline=""))} == {"false"}

    with sessions.begin() as session:
        backfills.note_ended(session, LEADS_KNOWN.name, NOON)

    assert report(client, by="campaign")["is_known_complete"]


def test_a_period_in_which_nobody_became_known_has_none(client: TestClient) -> None:
    total = report(client, period="2026-W01", by="campaign")["total"]

    assert (total["known"], total["engaged"], total["engaged_rate"]) == (0, 0, None)


def test_the_leads_behind_the_figures_come_page_by_page(client: TestClient) -> None:
    parameters: dict[str, Any] = {**WEEK, "stage": "known", "limit": 2}
    first = client.get("/v1/alignment/leads", params=parameters).json()
    second = client.get("/v1/alignment/leads", params={**parameters, "after": first["next"]}).json()

    ids = [it["lead_id"] for it in (*first["items"], *second["items"])]
    assert ids == [str(an_id(it)) for it in ("ada", "eve", "bob")]
    assert second["next"] is None
    assert first["items"][0] == {
        "lead_id": str(an_id("ada")),
        "known_at": "2026-11-18T12:00:00Z",
        "engaged_at": "2026-11-18T12:01:00Z",
        "persona": None,
        **AUTUMN,
    }
    engaged = {**WEEK, "stage": "engaged", "after": first["next"]}
    refused = client.get("/v1/alignment/leads", params=engaged)
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_cursor")


def test_leads_of_a_stage_are_those_that_reached_it_in_the_period(client: TestClient) -> None:
    got = client.get("/v1/alignment/leads", params={**WEEK, "stage": "engaged"}).json()

    assert [it["lead_id"] for it in got["items"]] == [str(an_id(it)) for it in ("ada", "kurt")]


def test_a_measure_has_no_leads_that_are_only_known(client: TestClient) -> None:
    parameters = {**WEEK, "stage": "known", "measure": "acceptance_rate"}
    got = client.get("/v1/alignment/leads", params=parameters)

    assert (got.status_code, got.json()["code"]) == (422, "bad_measure")
    assert "stage=known" in got.json()["message"]


def test_figures_and_leads_as_csv(client: TestClient) -> None:
    def rows(path: str, **parameters: Any) -> list[dict[str, str]]:
        got = client.get(path, params={**WEEK, "format": "csv", **parameters})
        assert got.headers["content-type"] == "text/csv; charset=utf-8"
        return list(DictReader(StringIO(got.text, newline="")))

    winter, autumn, _ = rows("/v1/alignment", by="campaign")
    assert (winter["known"], autumn["known"], autumn["engaged_rate"]) == ("0", "2", "1.0")
    assert {it["known"] for it in rows("/v1/alignment", by="team")} == {""}
    known = rows("/v1/alignment/leads", stage="known")
    assert [it["campaign"] for it in known] == ["autumn", "", "autumn"]
