"""What ends with a key, and what a visitor's words leave in addresses and cookies: nothing."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from services.console.apis import Connections
from services.console.live import HEARTBEAT, RELOAD, Channels
from services.console.pages import ACTS, EXPORTS, PAGES
from shared.auth.queries import revoke_key
from tests.builders import NOON
from tests.engine import PATIENCE_S
from tests.services.console.site import RunningConsole, session_token
from tests.services.console.two_reps import FIELDS, Installation, email_of

pytestmark = pytest.mark.postgres


def test_a_revoked_key_ends_the_session_at_the_next_request_of_any_kind(
    installation: Installation,
) -> None:
    console = installation.console
    key = console.key("ops", "otto")
    with httpx.Client(base_url=console.url, timeout=PATIENCE_S) as client:
        client.post("/sign-in", data={"key": key})
        token = session_token(client)
        [cookie] = client.cookies.items()
    with console.sessions.begin() as session:
        assert revoke_key(session, key.split("_")[2], now=NOON)

    headers = {"cookie": "=".join(cookie)}
    with (
        httpx.Client(base_url=console.url, headers=headers, timeout=PATIENCE_S) as client,
        installation.unchanged(),
    ):
        for path in [*(it.path for it in PAGES), *(it.path for it in EXPORTS)]:
            response = client.get(installation.own.path(path))
            assert response.status_code == 303, path
            assert response.headers["location"].startswith("/sign-in"), path
            client.cookies.clear()
        for act in ACTS:
            path = installation.own.path(act.path)
            response = client.post(path, data={**FIELDS, "token": token})
            assert (response.status_code, response.headers["location"]) == (303, "/sign-in"), path
            client.cookies.clear()
        assert client.get("/live", params={"view": "/"}).status_code == 401


async def _watched(console: RunningConsole, key: str) -> list[bytes]:
    """What a stream sends from its beginning on, whose viewer's key is revoked after the first state."""
    channels = Channels(heartbeat_s=0.05, key_check_s=0.1)
    connections = Connections(console.urls)

    async def render(_: object) -> str:
        return "<div id='live'></div>"

    events = channels.events(
        ("/", "ops", "UTC"), connections.apis(key), streams=(), render=render, last_id=None
    )
    received: list[bytes] = []
    async for event in events:
        if event != HEARTBEAT and not received:
            with console.sessions.begin() as session:
                revoke_key(session, key.split("_")[2], now=NOON)
        received += [event] if event != HEARTBEAT else []
    await connections.close()
    return received


def test_a_revoked_key_ends_the_stream(installation: Installation) -> None:
    received = asyncio.run(_watched(installation.console, installation.console.key("ops", "ole")))

    assert b"<div id='live'>" in received[0]
    assert received[1:] == [RELOAD]


def test_a_search_leaves_no_name_in_the_address(installation: Installation) -> None:
    with installation.console.visit() as client:
        token = session_token(client)
        response = client.post("/leads/find", data={"token": token, "q": email_of("ines")})
        address = response.headers["location"]
        page = client.get(address)

    assert "ines-mail@secret.example" in page.text
    assert "ines" not in address
    assert "mail" not in address


def test_what_was_searched_for_is_no_session(installation: Installation) -> None:
    with installation.console.visit("rep") as client:
        token = session_token(client)
        forged = '{"key": "k", "scope": "ops", "subject": "x", "until": 9e12, "nonce": "n"}'
        response = client.post("/leads/find", data={"token": token, "q": forged})
        encrypted = httpx.URL(response.headers["location"]).params["find"]

    response = httpx.get(
        f"{installation.console.url}/", cookies={"leadbaton": encrypted}, timeout=PATIENCE_S
    )
    assert response.headers["location"] == "/sign-in"
