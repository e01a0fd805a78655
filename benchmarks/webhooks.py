"""The example's reps, and a server that records when each lead's webhook arrives."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import SecretStr

from benchmarks.installed import EXAMPLES
from benchmarks.leads import KEY
from benchmarks.machine import DATABASE
from services.routing.handlers.roster_import import import_reps
from services.routing.roster_file import parse
from shared.auth.vault import Vault
from shared.clock import utc_now
from shared.db.session import engine_for, sessions_on
from shared.embedded.postgres import PostgresServer

ASSIGNED = "handoff.assigned"
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


def add_example_reps(server: PostgresServer, port: int) -> None:
    """Import the example's reps with endpoints on this port, and without limits of capacity."""
    source = (EXAMPLES / "reps.yaml").read_text().replace(":8010/", f":{port}/")
    roster = parse(source, name="reps.yaml", agreement=None, check_url=lambda _: None)
    engine = engine_for(server.url(DATABASE))
    with sessions_on(engine).begin() as session:
        import_reps(session, roster, vault=Vault(SecretStr(KEY)), now=utc_now())
    engine.dispose()


@dataclass(slots=True)
class Webhooks:
    """The arrival of the first webhook of each assigned lead, by the lead's e-mail."""

    came_s: dict[str, float] = field(default_factory=dict)
    _awaited: dict[str, asyncio.Event] = field(default_factory=dict)

    async def of(self, email: str) -> float:
        """Wait for this lead's webhook; returns its arrival."""
        if email not in self.came_s:
            await asyncio.wait_for(self._awaited.setdefault(email, asyncio.Event()).wait(), 60)
        return self.came_s[email]

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Receive the webhooks of one connection."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
                body = await reader.readexactly(int(length))
                self._note(orjson.loads(body))
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.close()

    def _note(self, body: dict[str, Any]) -> None:
        if body["type"] == ASSIGNED:
            email = body["data"]["lead"]["email"]
            self.came_s.setdefault(email, time.monotonic())
            if (awaited := self._awaited.pop(email, None)) is not None:
                awaited.set()


@asynccontextmanager
async def received(port: int) -> AsyncIterator[Webhooks]:
    """A server that receives webhooks while the block runs."""
    webhooks = Webhooks()
    server = await asyncio.start_server(webhooks.take, "127.0.0.1", port)
    yield webhooks
    server.close()
