"""The agreement over HTTP: versions, differences, drafts, and what the rules did."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from services.routing.main import build_api
from shared.agreement.store import publish, publish_again
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.db.session import Sessions
from tests.builders import DEFAULT_SECTIONS, NOON, lead_qualified
from tests.services.routing.builders import build_assigner, entry, importing, qualifying
from tests.services.routing.client import NOW
from tests.shared.agreement.builders import WHOLE, changed

pytestmark = pytest.mark.postgres


class Reader:
    """A client with a key that reads."""

    def __init__(self, client: TestClient, key: str) -> None:
        self._client, self._headers = client, {"authorization": f"Bearer {key}"}

    def get(self, path: str, *, status: int = 200) -> Any:
        response = self._client.get(f"/v1/agreement/{path}", headers=self._headers)
        assert response.status_code == status, response.text
        return response.json()

    def check(self, source: str, *, status: int = 200) -> Any:
        response = self.try_check(source)
        assert response.status_code == status, response.text
        return response.json()

    def try_check(self, source: str) -> Response:
        body = {"source": source}
        return self._client.post("/v1/agreement/check", json=body, headers=self._headers)


@pytest.fixture
def reader(sessions: Sessions) -> Iterator[Reader]:
    """Where nothing is published yet."""
    with sessions.begin() as session:
        key = create_key(session, scope=KeyScope.READ, subject="board", now=NOON)
    with TestClient(build_api(sessions, time_source=lambda: NOW)) as client:
        yield Reader(client, key)


@pytest.fixture
def published(reader: Reader, sessions: Sessions) -> Reader:
    """Where two versions were published, and then the first once more."""
    with sessions.begin() as session:
        publish(session, WHOLE, by="dana", now=NOON, note="the first")
        publish(session, changed("name: Test", "name: Other"), by="felix", now=NOON)
        publish_again(session, 1, by="dana", now=NOON + timedelta(minutes=1), note="back")
    return reader


def test_versions_are_listed_newest_first_and_page_by_page(published: Reader) -> None:
    first = published.get("versions?limit=2")
    rest = published.get(f"versions?limit=2&after={first['next']}")

    assert first["items"][0] == {
        "number": 3,
        "published_at": "2026-11-18T12:01:00Z",
        "published_by": "dana",
        "note": "back",
        "same_as": 1,
    }
    numbers = [(it["number"], it["same_as"]) for it in (*first["items"], *rest["items"])]
    assert numbers == [(3, 1), (2, None), (1, None)]
    assert rest["next"] is None


def test_a_version_is_shown_with_its_file(published: Reader) -> None:
    page = published.get("versions/1")

    assert (page["number"], page["note"], page["source"]) == (1, "the first", WHOLE)
    assert published.get("versions/3")["same_as"] == 1
    assert published.get("versions/4", status=404)["code"] == "unknown_agreement_version"
    assert published.get("versions/0", status=422)["code"] == "invalid_request"


def test_two_versions_are_compared(published: Reader) -> None:
    page = published.get("diff?from=1&to=2")

    assert (page["from"], page["to"]) == (1, 2)
    assert [it for it in page["lines"] if it[:1] in "-+"][2:] == ["-name: Test", "+name: Other"]
    assert published.get("diff?from=1&to=3")["lines"] == []
    unknown = published.get("diff?from=1&to=9", status=404)
    assert unknown["code"] == "unknown_agreement_version"


def test_a_draft_is_checked_without_effect(reader: Reader) -> None:
    sound = reader.check(WHOLE)
    faulty = reader.check(changed("zone: Europe/Berlin", "zone: Europe/Berln"))

    assert (sound["sound"], sound["fault_count"], sound["faults"]) == (True, 0, [])
    assert sound["contents"].startswith("4 scoring rules")
    assert (faulty["sound"], faulty["contents"], faulty["fault_count"]) == (False, None, 1)
    assert faulty["faults"] == [
        {
            "line": 40,
            "column": 13,
            "path": "sla.calendars[0].zone",
            "message": "unknown zone `Europe/Berln`; did you mean `Europe/Berlin`?",
            "hint": "did you mean `Europe/Berlin`?",
        }
    ]
    assert reader.get("versions")["items"] == []


def test_a_draft_has_bounds(reader: Reader) -> None:
    many = reader.check("".join(f"field_{number}: 1\n" for number in range(120)))

    assert len(many["faults"]) == 100
    assert many["fault_count"] > 120
    assert reader.check("x" * 200_001, status=422)["code"] == "invalid_request"


def test_drafts_are_checked_one_after_the_other(reader: Reader) -> None:
    with ThreadPoolExecutor(3) as pool:
        responses = list(pool.map(reader.try_check, [WHOLE] * 3))

    answers = [it.json() for it in responses]
    assert any(it.get("sound") for it in answers)
    assert all(it.get("sound") or it["code"] == "checks_busy" for it in answers)


def test_rules_are_listed_with_what_they_did(reader: Reader, sessions: Sessions) -> None:
    with sessions.begin() as session:
        assigner = build_assigner(session)
        importing(session, entry("grace", capacity={"open": 1}))
        old = lead_qualified(lead="old", at=NOON - timedelta(days=8))
        qualifying(session, assigner, old, *(lead_qualified(lead=it) for it in "ab"))

    page = reader.get("rules")
    all_days = reader.get("rules?since=2026-11-01")

    assert (page["since"], page["until"]) == ("2026-11-11T12:10:00Z", "2026-11-18T12:10:00Z")
    assert page["items"] == [
        {
            "rule": "everybody",
            "current": True,
            "team": "sales",
            "when": "true",
            "handoffs": 2,
            "states": {"waiting": 2},
        }
    ]
    assert all_days["items"][0]["states"] == {"assigned": 1, "waiting": 2}


def test_rules_that_are_gone_come_last_and_new_ones_have_done_nothing(
    reader: Reader, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        assigner = build_assigner(session)
        qualifying(session, assigner, lead_qualified(lead="ada"))
        rules = [{"id": "anybody", "when": True, "team": "sales"}]
        build_assigner(session, routing={**DEFAULT_SECTIONS["routing"], "rules": rules})

    items = reader.get("rules")["items"]

    assert [(it["rule"], it["current"], it["handoffs"]) for it in items] == [
        ("anybody", True, 0),
        ("everybody", False, 1),
    ]


def test_rules_are_counted_over_a_month_at_most(published: Reader) -> None:
    assert published.get("rules?since=2026-10-01", status=422)["code"] == "range_too_long"
    assert published.get("rules?since=2026-12-01", status=422)["code"] == "empty_range"


def test_without_an_agreement_there_are_no_rules(reader: Reader) -> None:
    assert reader.get("rules")["items"] == []
