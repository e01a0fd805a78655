"""Where endpoints are, and in which format: over HTTP, by the command, and in the file of reps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import select, update

from services.routing.domain.endpoints import host_of
from services.routing.handlers.secret_rotation import rotate_secret
from services.routing.main import build_api
from services.routing.queries.endpoints import disable_endpoint, find_target
from services.routing.tables import endpoints
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.auth.vault import Vault
from shared.db.session import Sessions
from tests.builders import NOON
from tests.services.routing.builders import build_assigner, entry, importing, vault
from tests.services.routing.delivery.post import LOOPBACK

pytestmark = pytest.mark.postgres

KEY = "bGVhZGJhdG9uLXRlc3RzLWxlYWRiYXRvbi10ZXN0cyE="
NEW_KEY = "bmV3LWtleS1uZXcta2V5LW5ldy1rZXktbmV3LWtleSE="
NOW = NOON + timedelta(minutes=10)
SLACK_URL = "https://127.0.0.1/services/T000/B000/secret"


@pytest.fixture
def ops(sessions: Sessions) -> Iterator[TestClient]:
    """A client with a key of ops; Grace has an endpoint, Linus has none."""
    with sessions.begin() as session:
        build_assigner(session)
        importing(session, entry("grace"), entry("linus", endpoint=None), fallback=None, ops=None)
        key = create_key(session, scope=KeyScope.OPS, subject="olga", now=NOON)
    app = build_api(
        sessions, time_source=lambda: NOW, secret_key=SecretStr(KEY), destination_policy=LOOPBACK
    )
    with TestClient(app, headers={"authorization": f"Bearer {key}"}) as client:
        yield client


def put(client: TestClient, id: str, *, status: int = 200, **body: Any) -> dict[str, Any]:
    answer = client.put(f"/v1/endpoints/{id}", json=body)
    assert answer.status_code == status, answer.text
    fields: dict[str, Any] = answer.json()
    return fields


def url_of(sessions: Sessions, id: str) -> str:
    """The URL of an endpoint in plain, which nothing shows."""
    with sessions() as session:
        target = find_target(session, id)
        assert target is not None
        return vault().decrypt(target.url).decode()


@pytest.mark.parametrize("id", ["rep/linus", "team/sales", "ops"])
def test_a_rep_a_team_and_ops_may_have_any_format(
    ops: TestClient, sessions: Sessions, id: str
) -> None:
    saved = put(ops, id, url=SLACK_URL, format="slack")
    again = put(ops, id, format="teams")

    assert saved["secret"].startswith("whsec_")
    assert (saved["format"], saved["host"]) == ("slack", "127.0.0.1")
    assert (again["format"], again["secret"]) == ("teams", None)
    assert url_of(sessions, id) == SLACK_URL


def test_a_url_is_encrypted_and_never_shown_whole_again(
    ops: TestClient, sessions: Sessions
) -> None:
    answers = [
        ops.put("/v1/endpoints/rep/grace", json={"url": SLACK_URL, "format": "slack"}),
        ops.get("/v1/endpoints"),
    ]

    assert all(
        "secret" not in it.text.replace('"secret":null', "").replace("old_secret", "")
        for it in answers
    )
    with sessions() as session:
        stored = session.execute(select(*endpoints.c)).mappings().all()
    assert all(b"T000" not in bytes(it["url"]) for it in stored)
    assert "T000" not in repr(stored)


def test_a_new_address_puts_a_disabled_endpoint_into_use(
    ops: TestClient, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        disable_endpoint(session, "rep/grace", reason="gone", now=NOON)

    assert put(ops, "rep/grace", format="standard")["state"] == "in_use"


@pytest.mark.parametrize(
    ("id", "body", "status", "code"),
    [
        ("rep/nobody", {"url": SLACK_URL}, 404, "nobodys_endpoint"),
        ("team/nobody", {"url": SLACK_URL}, 404, "nobodys_endpoint"),
        ("rep/linus", {"format": "slack"}, 422, "no_address"),
        ("rep/linus", {"url": "https://10.0.0.1/x"}, 422, "forbidden_address"),
        ("rep/linus", {"url": "ftp://example.com"}, 422, "invalid_request"),
        ("rep/linus", {"url": SLACK_URL, "format": "smoke"}, 422, "invalid_request"),
        ("rep/linus", {"url": "https://x/" + "x" * 2_000}, 422, "invalid_request"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(
    ops: TestClient, id: str, body: dict[str, str], status: int, code: str
) -> None:
    assert put(ops, id, status=status, **body)["code"] == code


def test_an_import_saves_the_address_of_the_file_and_leaves_others(
    ops: TestClient, sessions: Sessions
) -> None:
    put(ops, "rep/linus", url=SLACK_URL, format="slack")
    teams = {"url": "http://127.0.0.1:9/workflows", "format": "teams"}
    with sessions.begin() as session:
        imported = importing(session, entry("grace", endpoint=teams), entry("linus", endpoint=None))

    formats = {it["id"]: it["format"] for it in ops.get("/v1/endpoints").json()["items"]}
    assert formats["rep/grace"] == "teams"
    assert formats["rep/linus"] == "slack"
    assert url_of(sessions, "rep/linus") == SLACK_URL
    assert "rep/linus" not in imported.secrets


def test_a_rotation_encrypts_the_url_with_the_newest_key(
    ops: TestClient, sessions: Sessions
) -> None:
    put(ops, "rep/grace", url=SLACK_URL)
    vault = Vault(SecretStr(f"{NEW_KEY},{KEY}"))
    with sessions.begin() as session:
        rotate_secret(session, "rep/grace", vault=vault, now=NOW)
        target = find_target(session, "rep/grace")

    assert target is not None
    assert Vault(SecretStr(NEW_KEY)).decrypt(target.url).decode() == SLACK_URL


def test_after_a_lost_key_an_import_saves_the_urls_anew(
    ops: TestClient, sessions: Sessions
) -> None:
    lost = Vault(SecretStr(NEW_KEY)).encrypt(b"https://lost.example")
    with sessions.begin() as session:
        session.execute(update(endpoints).values(url=lost))
        rotate_secret(session, "rep/grace", vault=vault(), now=NOW)
    assert ops.put("/v1/endpoints/rep/grace", json={"format": "slack"}).status_code == 500
    with sessions.begin() as session:
        importing(session, entry("grace"), entry("linus"))

    assert url_of(sessions, "rep/grace") == "http://127.0.0.1:9/reps/grace"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://hooks.slack.com/services/T/B/x", "hooks.slack.com"),
        ("https://Hooks.Example.com.:443/x", "hooks.example.com"),
        ("http://user:pass@127.0.0.1:8010/reps/a?b=@c", "127.0.0.1:8010"),
        ("http://example.com:80#x", "example.com"),
        ("nonsense", "nonsense"),
    ],
)
def test_of_a_url_only_its_host_is_shown(url: str, host: str) -> None:
    assert host_of(url) == host
