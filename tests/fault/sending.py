"""Senders that send each event until it is accepted, in their own order, as good clients do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from random import Random
from threading import Event, Thread

import httpx

from services.cli.processes import SCORING_API
from tests.fault.stream import PEOPLE, SEED, SENDERS, SENT_TWICE, Stream
from tests.journey.world import Json, World

TURN_S = 0.4
"""The pause of a sender between two chunks; all senders together send a hundred events a second."""
PATIENCE_S = 150.0
"""How long a sender goes on trying one chunk."""


@dataclass
class Sending:
    """The senders of one stream."""

    world: World
    stream: Stream
    disturbance_over: Event = field(default_factory=Event)
    accepted: int = 0
    refused: int = 0
    longest_wait_s: float = 0.0
    faults: list[str] = field(default_factory=list)
    _threads: list[Thread] = field(default_factory=list)

    def start(self) -> None:
        """Start every sender."""
        self._threads = [Thread(target=self._send, args=(it,)) for it in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Send the rest as fast as it is accepted, and wait until it is."""
        self.disturbance_over.set()
        for thread in self._threads:
            thread.join()
        assert self.faults == []

    def _send(self, sender: int) -> None:
        arrivals = self.stream.arrivals
        with self.world.client(SCORING_API, f"site-{sender}") as client:
            for number in count():
                if not self.disturbance_over.wait(TURN_S) or arrivals[sender] * SENDERS < PEOPLE:
                    arrivals[sender] += 1
                if not (chunk := self.stream.turn(sender, number)):
                    return
                self._until_accepted(client, chunk)
                if Random(f"{sender}/{SEED}/{number}").random() < SENT_TWICE:
                    self._until_accepted(client, chunk)

    def _until_accepted(self, client: httpx.Client, chunk: list[Json]) -> None:
        began_s, remaining, pause = time.monotonic(), chunk, Event()
        while remaining:
            remaining, wait_s = self._send_once(client, remaining)
            if time.monotonic() - began_s > PATIENCE_S:
                self.faults.append(f"not accepted: {remaining[0]['id']}")
                return
            pause.wait(wait_s)
        self.accepted += len(chunk)
        self.longest_wait_s = max(self.longest_wait_s, time.monotonic() - began_s)

    def _send_once(self, client: httpx.Client, chunk: list[Json]) -> tuple[list[Json], float]:
        """Send the chunk once; return the events that are not accepted, and the seconds to wait."""
        try:
            answer = client.post("/v1/events", json=chunk)
        except httpx.TransportError:
            return chunk, 0.1
        if answer.status_code != 200:
            self.refused += 1
            if answer.status_code != 503:
                self.faults.append(answer.text)
            return chunk, min(float(answer.headers.get("retry-after", 0.2)), 1.0)
        results = answer.json()["results"]
        self.faults += [str(it) for it in results.values() if it["status"] == "rejected"]
        remaining = [it for it in chunk if results[it["id"]]["status"] == "retry"]
        return remaining, 0.2 if remaining else 0.0


@contextmanager
def sending(world: World, stream: Stream) -> Iterator[Sending]:
    """Send the stream: slowly while the block disturbs the system, and to its end afterwards."""
    sender = Sending(world, stream)
    sender.start()
    try:
        yield sender
    finally:
        sender.finish()
