"""Posts events in benchmarks: connections that each send one request after the other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson

from shared.contracts.topic import Outgoing


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection to an ingest API, for one request at a time."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def post(self, request: bytes) -> None:
        """Send the request and wait for the answer; raises unless all events were accepted."""
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        body = await self.reader.readexactly(int(length))
        if b" 200 " not in head[:20] or b'"status":"re' in body:
            raise RuntimeError(f"{head!r} {body[:300]!r}")


@asynccontextmanager
async def line(port: int) -> AsyncIterator[Connection]:
    """An open connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    yield Connection(reader, writer)
    writer.close()


def request(key: str, events: object) -> bytes:
    """The bytes of an HTTP request that posts one event or a list."""
    body = orjson.dumps(events)
    return (
        b"POST /v1/events HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
        b"authorization: Bearer %s\r\ncontent-length: %d\r\n\r\n%s"
        % (key.encode(), len(body), body)
    )


async def send(port: int, requests: Sequence[bytes], connections: int) -> float:
    """Send all requests; returns the seconds that it took."""

    async def some(begin: int) -> None:
        async with line(port) as to:
            for each in requests[begin::connections]:
                await to.post(each)

    began_s = time.monotonic()
    await asyncio.gather(*map(some, range(connections)))
    return time.monotonic() - began_s


def native(record: Outgoing) -> dict[str, object]:
    """The record's event as a sender would post it."""
    sent = orjson.loads(record.value)
    fields = {
        name: sent[name] for name in ("id", "type", "time", "traits", "properties", "context")
    }
    return {**fields, "lead": sent["identity"]}
