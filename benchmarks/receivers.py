"""Receivers of webhooks for benchmarks, each in a process of its own; one endpoint may be odd."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.installed import environment, running, until
from services.cli.processes import Process
from shared.embedded.postgres import PostgresServer, free_port
from shared.kafka.config import KafkaConfig

ODD = "/reps/0"
"""The endpoint that is dead, or answers without an end."""
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
ENDLESS_HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
CHUNK = b"4\r\nwait\r\n"
CHUNK_EVERY_S = 0.02
NO_KAFKA = KafkaConfig(
    ("127.0.0.1:9",), keeps_log=True, partitions=1, replication=1, session_timeout_ms=6_000
)


class Oddity(StrEnum):
    """What one of the endpoints does: nothing odd, no answer at all, or a body without an end."""

    NONE = "none"
    DEAD = "dead"
    ENDLESS = "endless"


async def receive(port: int, oddity: Oddity) -> None:
    """Answer every webhook at once, but for those to the odd endpoint."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
                await reader.readexactly(int(length))
                if not head.startswith(f"POST {ODD} ".encode()) or oddity is Oddity.NONE:
                    writer.write(ANSWER)
                elif oddity is Oddity.ENDLESS:
                    await _answer_without_end(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", port)
    await server.serve_forever()


async def _answer_without_end(writer: asyncio.StreamWriter) -> None:
    """A success whose body goes on until the connection is closed."""
    writer.write(ENDLESS_HEAD)
    while True:
        writer.write(CHUNK)
        await writer.drain()
        await asyncio.sleep(CHUNK_EVERY_S)


@dataclass(frozen=True)
class Receiver(Process):
    """A process that receives webhooks: `benchmarks.delivery` with arguments."""

    arguments: tuple[str, ...] = ()

    @property
    def argv(self) -> tuple[str, ...]:
        return (sys.executable, "-m", "benchmarks.delivery", *self.arguments)


@contextmanager
def receiving(server: PostgresServer, oddity: Oddity = Oddity.NONE) -> Iterator[int]:
    """A receiver in a process of its own; yields its port."""
    port = free_port()
    process = Receiver((), "", "", arguments=("--receiver", str(port), oddity.value))
    with running(process, environment(NO_KAFKA, server)):
        until(lambda: _open(port), "the receiver does not listen")
        yield port


def _open(port: int) -> bool:
    try:
        asyncio.run(_connect(port))
    except OSError:
        return False
    return True


async def _connect(port: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
