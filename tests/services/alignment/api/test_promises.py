"""Promises to date and measures over HTTP, and the leads behind them."""

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
from shared.contracts.payloads import Change, ClockChange
from shared.db.session import Sessions
from tests.builders import DEFAULT_SECTIONS, NOON, days, sla_changed
from tests.services.alignment.builders import numbered, qualified, read, step

pytestmark = pytest.mark.postgres

PROMISES: dict[str, Any] = {
    "marketing": [
        {"id": "leads", "measure": "qualified", "per": "month", "at_least": 3},
        {"id": "quality", "measure": "acceptance_rate", "at_least": 0.7, "at_least_n": 2},
        {"id": "room", "measure": "acceptance_rate", "at_least": 0.7, "where": 'tier == "enterprise"'},
    ],
    "sales": [
        {"id": "touches", "measure": "attainment", "policy": "first_touch", "at_least": 0.9, "at_least_n": 1},
        {"id": "room_for_leads", "measure": "capacity", "per": "month", "at_least": 400},
    ],
}  # fmt: skip
MONEY = {
    "currency": "EUR",
    "quota": {"amount": 1_000_000, "per": "month", "marketing_share": 0.5},
    "value": [{"when": True, "close_rate": 0.1, "average_deal": 10_000}],
}


def publish_agreement(sessions: Sessions, **sections: Any) -> None:
    with sessions.begin() as session:
        publish(session, json.dumps({**DEFAULT_SECTIONS, **sections}), by="test", now=NOON)


@pytest.fixture
def client(sessions: Sessions) -> Iterator[TestClient]:
    """The API with a key of ops at noon of 18 November: Grace accepted Ada's lead, Linus rejected Alan's."""
    with sessions.begin() as session:
        key = create_key(session, scope=KeyScope.OPS, subject="ops", now=NOON)
        read(session, qualified(), *numbered(step(Change.ASSIGNED), step(Change.ACCEPTED, 5)))
        refused: dict[str, Any] = {"lead": "alan", "rep": "linus"}
        steps = [
            step(Change.ASSIGNED, **refused),
            step(Change.REJECTED, 5, reason="no_capacity", **refused),
        ]
        read(session, qualified("alan"), *numbered(*steps))
        read(session, sla_changed(ClockChange.MET, due_on=NOON.date()))
        read(session, sla_changed(due_at=NOON - days(40), lead="alan"))
    app = build_api(sessions, time_source=lambda: NOON)
    with TestClient(app, headers={"authorization": f"Bearer {key}"}) as client:
        yield client


def get(client: TestClient, path: str, status: int = 200, **parameters: Any) -> Any:
    got = client.get(path, params=parameters or None)
    assert got.status_code == status, got.text
    return got.json()


def test_who_agreed_is_answered_with_the_promises(client: TestClient, sessions: Sessions) -> None:
    publish_agreement(sessions, promises=PROMISES)
    assert get(client, "/v1/promises", period="2026-11")["parties"] is None

    parties = {
        "marketing": {"owner": "Dana Ruiz", "signed_on": "2026-11-02"},
        "review": "monthly",
        "effective": {"from": "2026-11-01"},
    }
    publish_agreement(sessions, promises=PROMISES, parties=parties)

    assert get(client, "/v1/promises", period="2026-11")["parties"] == {
        "marketing": {"owner": "Dana Ruiz", "signed_on": "2026-11-02"},
        "sales": None,
        "review": "monthly",
        "effective_from": "2026-11-01",
        "effective_until": None,
    }


def test_promises_are_judged_to_date_with_the_leads_behind_them(
    client: TestClient, sessions: Sessions
) -> None:
    publish_agreement(sessions, promises=PROMISES, money=MONEY)

    report = get(client, "/v1/promises", period="2026-11")

    leads, quality, few, touches, room = report["items"]
    assert report["agreement_version"] == 1
    assert (leads["side"], leads["value"], leads["target"], leads["verdict"]) == (
        "marketing",
        2,
        3,
        "ahead",
    )
    assert (leads["working_days_passed"], leads["working_days"]) == (12, 21)
    assert (quality["value"], quality["n"], quality["verdict"]) == (0.5, 2, "behind")
    assert (few["verdict"], few["why"], few["where"]) == (
        "too_few",
        "too few (0)",
        'tier == "enterprise"',
    )
    assert (touches["value"], touches["n"], touches["verdict"]) == (1.0, 1, "on_track")
    assert (touches["side"], touches["detail"]) == ("sales", "first_touch")
    assert (room["verdict"], room["value"]) == ("unknown", None)
    assert [len(get(client, it["leads"])["items"]) for it in (leads, quality, few, touches)] == [
        *(2, 2, 0, 1)
    ]
    rejected = get(client, f"{quality['leads']}&kept=false")["items"]
    assert [it["rejection_reason"] for it in rejected] == ["no_capacity"]


def test_the_goal_stands_beside_the_promises_that_cannot_reach_it(
    client: TestClient, sessions: Sessions
) -> None:
    publish_agreement(sessions, promises=PROMISES, money=MONEY)

    report = get(client, "/v1/promises", period="2026-11")

    assert report["goal"] == {
        "per": "month",
        "currency": "EUR",
        "revenue": 500_000,
        "average_deal": 10_000,
        "close_rate": 0.1,
        "customers": 50,
        "leads_needed": 500,
        "leads": 2,
    }
    assert "500 leads per month" in report["items"][0]["cannot_reach"]
    assert report["items"][1]["cannot_reach"] is None


@pytest.mark.parametrize(("review", "since"), [("weekly", "2026-11-16"), ("monthly", "2026-11-01")])
def test_without_a_period_it_is_that_of_the_review(
    client: TestClient, sessions: Sessions, review: str, since: str
) -> None:
    publish_agreement(sessions, promises=PROMISES, parties={"review": review})

    report = get(client, "/v1/promises")

    assert (report["since"], report["goal"]) == (since, None)


@pytest.mark.parametrize("path", ["/v1/promises", "/v1/measures"])
def test_before_an_agreement_was_in_force_there_is_nothing(
    client: TestClient, sessions: Sessions, path: str
) -> None:
    assert get(client, path)["agreement_version"] is None

    publish_agreement(sessions, promises=PROMISES)

    assert get(client, path, period="2026-10")["items"] == []


def test_a_new_version_holds_from_its_publication_on(
    client: TestClient, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        publish(
            session,
            json.dumps({**DEFAULT_SECTIONS, "promises": PROMISES}),
            by="test",
            now=NOON - days(30),
        )
        publish(session, json.dumps(DEFAULT_SECTIONS), by="test", now=NOON - days(10))  # fmt: skip

    assert get(client, "/v1/promises", period="2026-10")["agreement_version"] == 1
    assert get(client, "/v1/promises", period="2026-11")["items"] == []


def test_measures_need_no_promise(client: TestClient, sessions: Sessions) -> None:
    publish_agreement(sessions)

    report = get(client, "/v1/measures", period="2026-11", rep="linus")

    figures = {it["measure"]: it for it in report["items"]}
    assert (figures["qualified"]["value"], figures["qualified"]["unit"]) == (1, "leads")
    assert figures["acceptance_rate"]["value"] == 0
    assert (figures["rejected_share"]["of"], figures["rejected_share"]["value"]) == (
        "no_capacity",
        1,
    )
    assert "qualified_value" not in figures
    assert figures["win_rate"]["of"] == "90d"
    assert figures["attainment"]["n"] == 0
    for item in report["items"]:
        leads = get(client, item["leads"])["items"]
        assert len(leads) == item["n"], item
        assert {lead["rep"] for lead in leads} <= {"linus"}


def test_promises_and_measures_as_csv(client: TestClient, sessions: Sessions) -> None:
    publish_agreement(sessions, promises=PROMISES)

    def rows(path: str) -> list[dict[str, str]]:
        got = client.get(path, params={"format": "csv", "period": "2026-11"})
        assert got.headers["content-type"] == "text/csv; charset=utf-8"
        return list(DictReader(StringIO(got.text, newline="")))

    assert [it["id"] for it in rows("/v1/promises")] == [
        *("leads", "quality", "room", "touches", "room_for_leads")
    ]
    assert rows("/v1/promises")[0]["agreement_version"] == "1"
    [first, *_] = rows("/v1/measures")
    assert (first["measure"], first["value"], first["since"]) == ("qualified", "2", "2026-11-01")


@pytest.mark.parametrize(
    ("parameters", "code", "words"),
    [
        ({"promise": "quantity"}, "unknown_promise", "leads, quality"),
        ({"promise": "leads", "measure": "qualified"}, "bad_measure", "not both"),
        ({"measure": "attainment"}, "bad_measure", "sla.policies"),
        ({"measure": "completeness"}, "bad_measure", "traits"),
        ({"measure": "qualified", "of": "x"}, "bad_measure", "leave it out"),
        ({"measure": "win_rate", "of": "0"}, "bad_measure", "1 to 1095"),
        ({"measure": "win_rate", "of": "12345678d"}, "bad_measure", "1 to 1095"),
        ({"measure": "win_rate", "of": "three"}, "bad_measure", "90d"),
        ({"of": "x"}, "bad_measure", "name one"),
        ({"kept": "true"}, "bad_measure", "name one"),
        ({"measure": "happiness"}, "invalid_request", "measure"),
    ],
)
def test_a_figure_that_cannot_be_read_is_refused_in_plain_words(
    client: TestClient, sessions: Sessions, parameters: dict[str, Any], code: str, words: str
) -> None:
    publish_agreement(sessions, promises=PROMISES)

    problem = get(client, "/v1/alignment/leads", 422, period="2026-11", **parameters)

    assert problem["code"] == code
    assert words in problem["message"]


def test_without_an_agreement_no_promise_is_known(client: TestClient) -> None:
    problem = get(client, "/v1/alignment/leads", 422, promise="leads")

    assert "none" in problem["message"]


@pytest.mark.parametrize(
    ("parameters", "count"),
    [
        ({"measure": "acceptance_rate", "kept": "true"}, 1),
        ({"measure": "acceptance_rate", "stage": "rejected"}, 1),
        ({"measure": "win_rate", "of": "30"}, 0),
        ({"measure": "win_rate", "of": "30", "until": "2026-12-18"}, 0),
        ({"measure": "rejected_share", "kept": "true"}, 0),
        ({"measure": "rejected_share", "kept": "true", "of": "no_capacity"}, 1),
        ({"measure": "attainment", "of": "first_touch"}, 1),
        ({"measure": "attainment", "of": "first_touch", "stage": "rejected"}, 0),
        ({"measure": "completeness", "of": "country title"}, 0),
        ({"measure": "handover_time", "kept": "false"}, 0),
    ],
)
def test_the_leads_behind_a_measure(
    client: TestClient, parameters: dict[str, Any], count: int
) -> None:
    parameters = {"since": "2026-11-01", "until": "2026-11-30", **parameters}

    assert len(get(client, "/v1/alignment/leads", **parameters)["items"]) == count
