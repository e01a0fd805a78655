"""Senders as good clients are: each event again until it is accepted, in their own order."""

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
"""A hundred events a second, all senders together, while the system is hurt."""
PATIENCE_S = 150.0
"""How long a sender goes on trying one chunk."""


@dataclass
class Sending:
    """A stream under way."""

    world: World
    stream: Stream
    harmless: Event = field(default_factory=Event)
    accepted: int = 0
    refused: int = 0
    longest_wait_s: float = 0.0
    faults: list[str] = field(default_factory=list)
    _threads: list[Thread] = field(default_factory=list)

    def start(self) -> None:
        """Every sender at once."""
        self._threads = [Thread(target=self._send, args=(it,)) for it in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """The harm is over: send what is left as fast as it is accepted, and wait for that."""
        self.harmless.set()
        for thread in self._threads:
            thread.join()
        assert self.faults == []

    def _send(self, sender: int) -> None:
        came = self.stream.came
        with self.world.client(SCORING_API, f"site-{sender}") as client:
            for number in count():
                if not self.harmless.wait(TURN_S) or came[sender] * SENDERS < PEOPLE:
                    came[sender] += 1
                if not (chunk := self.stream.turn(sender, number)):
                    return
                self._until_accepted(client, chunk)
                if Random(f"{sender}/{SEED}/{number}").random() < SENT_TWICE:
                    self._until_accepted(client, chunk)

    def _until_accepted(self, client: httpx.Client, chunk: list[Json]) -> None:
        began, left, pause = time.monotonic(), chunk, Event()
        while left:
            left, wait_s = self._once(client, left)
            if time.monotonic() - began > PATIENCE_S:
                self.faults.append(f"not accepted: {left[0]['id']}")
                return
            pause.wait(wait_s)
        self.accepted += len(chunk)
        self.longest_wait_s = max(self.longest_wait_s, time.monotonic() - began)

    def _once(self, client: httpx.Client, chunk: list[Json]) -> tuple[list[Json], float]:
        """What is left of the chunk after one try, and how long to wait before the next."""
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
        left = [it for it in chunk if results[it["id"]]["status"] == "retry"]
        return left, 0.2 if left else 0.0


@contextmanager
def sending(world: World, stream: Stream) -> Iterator[Sending]:
    """The stream, slowly while the block hurts the system, and after it to its end."""
    sender = Sending(world, stream)
    sender.start()
    try:
        yield sender
    finally:
        sender.finish()
