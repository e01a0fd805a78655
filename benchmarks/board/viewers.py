"""Hundreds of viewers of the board on one process: its memory, and the time from a change to their screens."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import quantiles
from typing import cast
from urllib.parse import quote
from uuid import UUID

import psycopg
from kafka import KafkaConsumer

from benchmarks.board.site import Site
from benchmarks.installed import until
from benchmarks.machine import Figure, console, counts, takes
from benchmarks.streams import bare_producer, ends
from shared.clock import utc_now
from shared.contracts.payloads import ClockChange, Scope, SlaChanged
from shared.contracts.topics import SLA_CHANGED
from shared.kafka.config import KafkaConfig

BOARD = "/"
MARK = b"change-"
DIGITS = 6
VIEWER_BYTES = 100_000
SCREEN_S = 1.0
STEADY_PER_S, FAST_PER_S = 50, 200
AT_ONCE = 50
"""So many viewers open the board at once."""

PATIENCE_S = 30.0
WARMING_S = 3.0


class Viewer(asyncio.Protocol):
    """A browser's stream of the board: it notes when the first state that shows a change arrives."""

    def __init__(self, request: bytes, changed_s: Sequence[float]) -> None:
        self.has_state = asyncio.Event()
        self.newest = -1
        """The number of the newest change that it has."""
        self.latencies_s: list[float] = []
        self.reloads = 0
        self._request = request
        self._changed_s = changed_s
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        cast("asyncio.WriteTransport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        """Look for the newest change, and for a state at all."""
        now_s = time.monotonic()
        content = self._tail + data
        self._tail = content[-(len(MARK) + DIGITS - 1) :]
        if b"data: " in content:
            self.has_state.set()
        self.reloads += data.count(b"event: reload")
        at = content.rfind(MARK, 0, len(content) - DIGITS)
        if at >= 0:
            begin = at + len(MARK)
            number = int(content[begin : begin + DIGITS])
            changes = range(self.newest + 1, number + 1)
            self.latencies_s += [now_s - self._changed_s[it] for it in changes]
            self.newest = max(self.newest, number)

    def connection_lost(self, _: Exception | None) -> None:
        """A stream that ends is as bad as one that must be loaded again."""
        self.reloads += 1


@dataclass(slots=True)
class Changes:
    """Changes of the breach that is first on the board: each is committed, then published on the real topic."""

    site: Site
    changed_s: list[float] = field(default_factory=list)
    """When each change began."""

    def make(self, count: int, per_s: int) -> None:
        """Make so many changes at this pace."""
        producer = bare_producer(self.site.config)
        with psycopg.connect(self.site.server.url(), autocommit=True) as database:
            clock = _first_breach(database)
            began_s = time.monotonic()
            pause = threading.Event()
            for index in range(count):
                pause.wait(max(began_s + index / per_s - time.monotonic(), 0))
                number = len(self.changed_s)
                self.changed_s.append(time.monotonic())
                name = f"{MARK.decode()}{number:0{DIGITS}}"
                database.execute(
                    "update sla.clocks set lead_name = %s where id = %s", (name, clock.clock_id)
                )
                record = SLA_CHANGED.encode(
                    clock, id=f"bench/{number}", source="benchmark", at=clock.detected_at
                )
                producer.send(
                    record.topic, key=record.key, value=record.value, headers=list(record.headers)
                )
        producer.flush()
        producer.close()


def _first_breach(database: psycopg.Connection) -> SlaChanged:
    """A change of the breach that is first on the board."""
    row = database.execute(
        "select id, handoff_id, lead_id, due_at from sla.clocks"
        " where ended_at is null and due_at <= now() order by due_at desc, id desc limit 1"
    ).fetchone()
    if row is None:
        raise RuntimeError("no promise is broken: load more handoffs")
    clock_id, handoff_id, lead_id, due_at = row
    return SlaChanged(
        clock_id=UUID(str(clock_id)),
        handoff_id=UUID(str(handoff_id)),
        lead_id=UUID(str(lead_id)),
        hop=1,
        policy="inbound_accept",
        kind="accept",
        scope=Scope.HOP,
        change=ClockChange.BREACHED,
        occurred_at=due_at,
        detected_at=utc_now(),
        due_at=due_at,
        team="team_0",
        tier="hot",
        agreement_version=1,
    )


async def watched(site: Site, count: int, *, seconds: int) -> list[Figure]:
    """The figures of so many viewers, at each pace for so many seconds."""
    changes = Changes(site)
    request = _request(site)
    for warming in await _viewers(site, request, changes, 1):  # more would leave memory to the rest
        warming.close()
    await asyncio.sleep(WARMING_S)
    before = resident_bytes(site.pid)
    opened = await _viewers(site, request, changes, count)
    figures = [_memory("memory of a viewer", resident_bytes(site.pid) - before, count)]
    viewers = [cast("Viewer", it.get_protocol()) for it in opened]
    for per_s in (STEADY_PER_S, FAST_PER_S):
        figures += await _pace(changes, viewers, per_s=per_s, seconds=seconds)
        name = f"memory of a viewer, after {per_s} changes/s"
        figures.append(_memory(name, resident_bytes(site.pid) - before, count))
    for transport in opened:
        transport.close()
    return figures


async def _pace(
    changes: Changes, viewers: Sequence[Viewer], *, per_s: int, seconds: int
) -> list[Figure]:
    """Changes at this pace: how long each takes to every viewer, beside a bare reader of the topic."""
    for viewer in viewers:
        viewer.latencies_s.clear()
    first = len(changes.changed_s)
    with _bare_reader(changes.site.config) as seen_s:
        await asyncio.to_thread(changes.make, per_s * seconds, per_s)
        last = len(changes.changed_s) - 1
        with suppress(TimeoutError):  # those who lack it are counted
            name = "a viewer lacks the last change"
            have_all = partial(_have, viewers, last)
            await asyncio.to_thread(until, have_all, name, within_s=PATIENCE_S)
    latencies_s = [it for viewer in viewers for it in viewer.latencies_s]
    floors_s = [
        seen - began for seen, began in zip(seen_s, changes.changed_s[first:], strict=False)
    ]
    name = f"change to screen at {per_s} changes/s, {len(viewers)} viewers"
    console.print(f"[dim]{name}: {len(latencies_s):,} arrivals[/]")
    ours, floor = (quantiles(it, n=100, method="inclusive") for it in (latencies_s, floors_s))
    return [
        takes(f"{name}, p50", ours[49], floor_s=floor[49]),
        takes(f"{name}, p95", ours[94], at_most_s=SCREEN_S, floor_s=floor[94]),
        counts(
            f"viewers without the last of {per_s} changes/s",
            sum(it.newest < last for it in viewers),
            expected=0,
        ),
        counts(
            f"viewers who had to reload at {per_s} changes/s",
            sum(it.reloads > 0 for it in viewers),
            expected=0,
        ),
    ]


def _have(viewers: Sequence[Viewer], number: int) -> bool:
    return all(it.newest >= number for it in viewers)


@contextmanager
def _bare_reader(config: KafkaConfig) -> Iterator[list[float]]:
    """When a reader of the topic that does nothing else has each record, in their order, while the block runs."""
    reader = KafkaConsumer(bootstrap_servers=list(config.bootstrap), enable_auto_commit=False)
    positions = ends(config, SLA_CHANGED.name)
    reader.assign(list(positions))
    for partition, offset in positions.items():
        reader.seek(partition, offset)
    seen_s: list[float] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            for records in reader.poll(timeout_ms=100).values():
                seen_s.extend([time.monotonic()] * len(records))

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield seen_s
    finally:
        stop.set()
        thread.join()
        reader.close()


async def _viewers(
    site: Site, request: bytes, changes: Changes, count: int
) -> list[asyncio.Transport]:
    """Open so many streams, each on a connection of its own, and wait until each has the board."""
    loop = asyncio.get_running_loop()
    opened: list[asyncio.Transport] = []
    for _ in range(0, count, AT_ONCE):
        pairs = await asyncio.gather(
            *(
                loop.create_connection(
                    lambda: Viewer(request, changes.changed_s), "127.0.0.1", site.port
                )
                for _ in range(min(AT_ONCE, count - len(opened)))
            )
        )
        for transport, viewer in pairs:
            await asyncio.wait_for(viewer.has_state.wait(), PATIENCE_S)
            opened.append(transport)
    return opened


def _request(site: Site) -> bytes:
    """The request for the stream of the board, in a session."""
    with site.visit() as client:
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    return (
        f"GET /live?view={quote(BOARD, safe='')} HTTP/1.1\r\nhost: 127.0.0.1\r\n"
        f"accept: text/event-stream\r\naccept-encoding: gzip\r\ncookie: {cookies}\r\n\r\n"
    ).encode()


def _memory(name: str, more: int, viewers: int) -> Figure:
    each = more / viewers
    return Figure(
        name,
        f"{each / 1e3:.1f} kB",
        expected=f"≤ {VIEWER_BYTES / 1e3:.0f} kB",
        held=each <= VIEWER_BYTES,
    )


def resident_bytes(pid: int) -> int:
    """The memory that the process has."""
    status = Path(f"/proc/{pid}/status").read_text()
    [line] = [it for it in status.splitlines() if it.startswith("VmRSS:")]
    return int(line.split()[1]) * 1024
