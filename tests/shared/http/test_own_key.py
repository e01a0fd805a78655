"""Every key may ask what it is."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.auth.queries import revoke_key
from shared.db.session import Sessions
from shared.http.app import create_app
from tests.builders import NOON, days

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("scope", KeyScope)
def test_a_key_says_what_it_is_for_and_how_long_it_lasts(
    sessions: Sessions, scope: KeyScope
) -> None:
    with sessions.begin() as session:
        key = create_key(session, scope=scope, subject="grace", now=NOON, expires_at=NOON + days(1))
    app = create_app(title="t", summary="s", sessions=sessions, time_source=lambda: NOON)
    with TestClient(app) as client:
        got = client.get("/v1/key", headers={"authorization": f"Bearer {key}"})

    assert got.status_code == 200
    assert got.json() == {
        "id": key.split("_")[2],
        "scope": scope,
        "subject": "grace",
        "expires_at": "2026-11-19T12:00:00Z",
    }


def test_without_a_key_there_is_nothing_to_say(sessions: Sessions) -> None:
    app = create_app(title="t", summary="s", sessions=sessions, time_source=lambda: NOON)
    with TestClient(app) as client:
        assert client.get("/v1/key").json()["code"] == "unknown_key"


def test_a_key_that_was_revoked_a_moment_ago_is_refused(sessions: Sessions) -> None:
    app = create_app(title="t", summary="s", sessions=sessions, time_source=lambda: NOON)
    with sessions.begin() as session:
        key = create_key(session, scope=KeyScope.OPS, subject="grace", now=NOON)
    with TestClient(app, headers={"authorization": f"Bearer {key}"}) as client:
        assert client.get("/v1/key").status_code == 200
        with sessions.begin() as session:
            revoke_key(session, key.split("_")[2], now=NOON)
        refused = client.get("/v1/key")

    assert (refused.status_code, refused.json()["code"]) == (401, "unknown_key")
