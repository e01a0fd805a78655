"""The console before the real APIs, for tests: all on loopback, on one database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
from fastapi.routing import iter_route_contexts

from services.console.apis import Service
from services.console.app import build_console
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.db.session import Sessions
from tests.builders import NOON
from tests.engine import PATIENCE_S
from tests.loopback import NO_TLS
from tests.services.apis import SECRET_KEY, apis_on
from tests.serving import serving, serving_all

NAMES = {
    Service.SCORING: "scoring",
    Service.ROUTING: "routing",
    Service.SLA: "sla",
    Service.ALIGNMENT: "alignment",
}
NOWHERE = "http://127.0.0.1:9"
PATIENT = httpx.Timeout(PATIENCE_S)
"""How long the console of tests waits for an API: on a busy machine a connection may take longer than its 2 s."""


@dataclass(frozen=True, slots=True)
class RunningConsole:
    """The console's URL, and keys of each scope."""

    url: str
    sessions: Sessions
    keys: Mapping[str, str]
    urls: Mapping[Service, str]
    """The addresses of the APIs."""

    @contextmanager
    def visit(self, scope: str = "ops") -> Iterator[httpx.Client]:
        """A browser without scripts that has signed in with a key of this scope."""
        with httpx.Client(base_url=self.url, timeout=2 * PATIENCE_S, verify=NO_TLS) as client:
            response = client.post("/sign-in", data={"key": self.keys[scope]})
            assert response.status_code == 303, response.text
            yield client

    def key(self, scope: str, subject: str, *, now: datetime = NOON) -> str:
        """Another key."""
        with self.sessions.begin() as session:
            return create_key(session, scope=KeyScope(scope), subject=subject, now=now)


@contextmanager
def running_console(
    sessions: Sessions, *, away: Service | None = None, now: datetime = NOON
) -> Iterator[RunningConsole]:
    """The console, with the APIs except the one that is away."""
    with ExitStack() as stack:
        apis = apis_on(sessions, now=now)
        for api in apis.values():
            tuple(
                iter_route_contexts(api.routes)
            )  # they are completed when first read, but not in two threads
        present = [service for service in NAMES if service is not away]
        served = stack.enter_context(serving_all([apis[NAMES[it]] for it in present]))
        urls = dict.fromkeys(NAMES, NOWHERE) | dict(zip(present, served, strict=True))
        console = build_console(
            urls=urls, secret_key=SECRET_KEY, time_source=lambda: now, timeout=PATIENT
        )
        url = stack.enter_context(serving(console))
        with sessions.begin() as session:
            keys = {
                scope: create_key(
                    session,
                    scope=KeyScope(scope),
                    subject={"rep": "amira"}.get(scope, "olga"),
                    now=now - timedelta(days=1),
                )
                for scope in ("ops", "read", "rep", "ingest")
            }
        authorization = {"authorization": f"Bearer {keys['ops']}"}
        for address in served:  # a first request is slow, and the console does not wait for long
            key = httpx.get(
                f"{address}/v1/key", headers=authorization, timeout=PATIENCE_S, verify=NO_TLS
            )
            key.raise_for_status()
        yield RunningConsole(url, sessions, keys, urls)


def token_in(html: str) -> str:
    """The token against forgery that the forms of a page carry."""
    return html.split('name="leadbaton-token" content="')[1].split('"', maxsplit=1)[0]


def session_token(client: httpx.Client) -> str:
    """The token of a visitor's session, from a page that asks no API."""
    return token_in(client.get("/no-such-page").text)
