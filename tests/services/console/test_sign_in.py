"""Signing in and out, and what a page says to somebody who may not see it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from services.console.sign_in import safe_target
from shared.auth.keys import KeyScope
from shared.auth.queries import revoke_key
from shared.auth.sign_in import create_link
from shared.db.session import Sessions
from tests.builders import NOON
from tests.engine import PATIENCE_S
from tests.services.console.site import RunningConsole, running_console, token_in

pytestmark = pytest.mark.postgres


@pytest.fixture
def console(sessions: Sessions) -> Iterator[RunningConsole]:
    with running_console(sessions) as running:
        yield running


def test_without_a_session_every_page_leads_to_the_sign_in_and_back(
    console: RunningConsole,
) -> None:
    with httpx.Client(base_url=console.url, timeout=20) as client:
        response = client.get("/?team=inbound")
        assert (response.status_code, response.headers["location"]) == (
            303,
            "/sign-in?next=%2F%3Fteam%3Dinbound",
        )
        fields = client.get(response.headers["location"])
        assert 'value="/?team=inbound"' in fields.text
        done = client.post("/sign-in", data={"key": console.keys["ops"], "next": "/?team=inbound"})
        assert done.headers["location"] == "/?team=inbound"
        page = client.get("/")
        assert page.status_code == 200
        assert "olga" in page.text


@pytest.mark.parametrize("key", ["", "nonsense", "lb_ops_000000000000_" + "0" * 48])
def test_a_wrong_key_is_told_on_the_form(console: RunningConsole, key: str) -> None:
    response = httpx.post(f"{console.url}/sign-in", data={"key": key}, timeout=PATIENCE_S)
    assert response.status_code == 401
    assert 'role="alert"' in response.text
    assert "set-cookie" not in response.headers


def test_a_key_that_sends_events_opens_no_page(console: RunningConsole) -> None:
    response = httpx.post(
        f"{console.url}/sign-in", data={"key": console.keys["ingest"]}, timeout=PATIENCE_S
    )
    assert response.status_code == 401
    assert "ops, read or rep" in response.text


def test_a_link_signs_in_once(console: RunningConsole) -> None:
    with console.sessions.begin() as session:
        link = create_link(session, scope=KeyScope.OPS, subject="otto", now=NOON)
    with httpx.Client(base_url=console.url, timeout=20) as client:
        assert link in client.get("/sign-in", params={"token": link}).text
        assert client.post("/sign-in", data={"link": link}).status_code == 303
        assert "otto" in client.get("/").text
    again = httpx.post(f"{console.url}/sign-in", data={"link": link}, timeout=PATIENCE_S)
    assert again.status_code == 401
    assert "leadbaton console link" in again.text


def test_a_revoked_key_ends_the_session(console: RunningConsole) -> None:
    with console.visit() as client:
        with console.sessions.begin() as session:
            assert revoke_key(session, console.keys["ops"].split("_")[2], now=NOON)
        response = client.get("/")
        assert response.headers["location"] == "/sign-in"
        assert client.get("/").status_code == 303


def test_signing_out_ends_the_session_and_needs_the_token(console: RunningConsole) -> None:
    with console.visit() as client:
        page = client.get("/").text
        assert client.post("/sign-out", data={"token": "forged"}).status_code == 400
        assert client.post("/sign-out", data={"token": token_in(page)}).status_code == 303
        assert client.get("/").status_code == 303


def test_the_cookie_is_for_this_site_alone_and_no_page_is_kept(console: RunningConsole) -> None:
    response = httpx.post(
        f"{console.url}/sign-in", data={"key": console.keys["ops"]}, timeout=PATIENCE_S
    )
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert console.keys["ops"] not in cookie
    assert response.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in response.headers["content-security-policy"]


def test_a_form_of_another_site_is_refused(console: RunningConsole) -> None:
    response = httpx.post(
        f"{console.url}/sign-in",
        data={"key": console.keys["ops"]},
        headers={"sec-fetch-site": "cross-site"},
        timeout=PATIENCE_S,
    )
    assert response.status_code == 400
    assert "set-cookie" not in response.headers


def test_a_link_on_another_site_is_asked_for_once_more_with_the_cookie(
    console: RunningConsole,
) -> None:
    response = httpx.get(
        f"{console.url}/", headers={"sec-fetch-site": "cross-site"}, timeout=PATIENCE_S
    )
    assert response.status_code == 200
    assert 'http-equiv="refresh"' in response.text


@pytest.mark.parametrize(
    ("target", "safe"),
    [
        ("/handoffs?state=waiting", "/handoffs?state=waiting"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/sign-out", "/"),
        ("/a\nb", "/"),
        ("/" + "a" * 3_000, "/"),
        ("", "/"),
    ],
)
def test_the_way_back_stays_on_this_site(target: str, safe: str) -> None:
    assert safe_target(target) == safe


def test_a_form_that_cannot_be_read_is_refused(console: RunningConsole) -> None:
    too_large = httpx.post(
        f"{console.url}/sign-in", data={"key": "x" * 300_000}, timeout=PATIENCE_S
    )
    unreadable = httpx.post(f"{console.url}/sign-in", content=b"key=%ff%fe", timeout=PATIENCE_S)
    assert (too_large.status_code, unreadable.status_code) == (400, 400)


def test_there_is_a_page_for_what_is_not_there(console: RunningConsole) -> None:
    with console.visit() as client:
        response = client.get("/nothing")
        assert response.status_code == 404
        assert "There is no page" in response.text
        assert client.post("/", data={}).status_code == 405
        for name in ("console.css", "console.js", "icon.svg"):
            assert client.get(f"/static/{name}").status_code == 200
