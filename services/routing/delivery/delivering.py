"""The loop of delivery: as many tries on their way as there is room for, and nothing sent inside a transaction."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import structlog

from services.routing.delivery import recording
from services.routing.delivery.dispatcher import Dispatcher, claim
from services.routing.delivery.recording import Tried
from services.routing.delivery.trying import Answers, attempt
from services.routing.queries.claims import Claimed
from shared.db.outages import OUTAGES, class_and_code, is_outage
from shared.http.outbound import Clients

log = structlog.get_logger(__name__)

HANDS = 64
"""Quick tries on their way at once."""
FIRST_HANDS = 16
"""Of these, for first tries alone: what is tried again never keeps a new lead waiting."""
SLOW_S = 0.3
"""A try that has been on its way for longer gives its hand to another: it waits for a host, and needs nothing of us."""
MAX_TRIES = 512
"""Tries on their way at once, with the slow ones."""
MAX_RETRIES = 256
"""Of these, no first tries."""
POLL_S = 1.0
LAST_S, AGAIN_S = 3.0, 0.1
"""For how long, and how often, we try to record what is not recorded when we are asked to stop."""


class Tries:
    """The tries on their way; `woken` is set whenever one ends."""

    def __init__(self, woken: asyncio.Event) -> None:
        self._woken = woken
        self._began_s: dict[asyncio.Task[Tried], float] = {}
        self._over: list[asyncio.Task[Tried]] = []

    def start(self, trying: Coroutine[Any, Any, Tried]) -> None:
        """Let a try begin."""
        task = asyncio.create_task(trying)
        self._began_s[task] = time.monotonic()
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[Tried]) -> None:
        del self._began_s[task]
        self._over.append(task)
        self._woken.set()

    def ended(self) -> list[Tried]:
        """Those that have ended since they were asked for last."""
        over, self._over = self._over, []
        return [it.result() for it in over]

    def room(self) -> tuple[int, int]:
        """How many may begin, and how many of these may be other than first tries."""
        slow_s, there = time.monotonic() - SLOW_S, len(self._began_s)
        quick = sum(1 for it in self._began_s.values() if it > slow_s)
        tries = min(HANDS - quick, MAX_TRIES - there)
        return tries, max(0, min(tries - FIRST_HANDS, MAX_RETRIES - there))

    async def finish(self, grace_s: float) -> list[Tried]:
        """Wait for them, but not for long; those that have ended."""
        if self._began_s:
            await asyncio.wait(self._began_s, timeout=grace_s)
        ended, left = self.ended(), list(self._began_s)
        for it in left:
            it.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        return ended


async def deliver(
    dispatcher: Dispatcher, *, stop: threading.Event, woken: asyncio.Event, beat: Callable[[], None]
) -> None:
    """Deliver until `stop`. `woken` is set by whoever has something new for us; we look once a second anyway.

    Outcomes are recorded many at a time: those of tries that end while the database works on the ones before. What it
    cannot record while it is away we hold, and claim nothing more, until it is back.
    """
    tries, answers = Tries(woken), Answers()
    ended: Sequence[Tried] = ()
    async with Clients(dispatcher.destination_policy, connections=MAX_TRIES) as clients:
        while not stop.is_set():
            beat()
            woken.clear()
            ended, claimed = await _turn(dispatcher, ended, tries.room())
            for it in claimed:
                tries.start(attempt(dispatcher, clients, answers, it))
            await _wait(woken, POLL_S if tries.room()[0] > 0 else SLOW_S)
            ended = (*ended, *tries.ended())
        ended = (*ended, *await tries.finish(dispatcher.grace_s))
    await record_last(dispatcher, ended)


async def _wait(woken: asyncio.Event, max_s: float) -> None:
    """Until a try ends or something is new, but not for long."""
    try:
        async with asyncio.timeout(max_s):
            await woken.wait()
    except TimeoutError:
        return


async def record_last(dispatcher: Dispatcher, ended: Sequence[Tried]) -> None:
    """Record how the last tries ended, also when the database is back only now."""
    end_s = time.monotonic() + LAST_S
    while ended:
        ended, _ = await _turn(dispatcher, ended, (0, 0))
        if time.monotonic() > end_s:
            break
        await asyncio.sleep(AGAIN_S if ended else 0)
    if ended:
        log.error("tries are not recorded, their webhooks will be sent again", tries=len(ended))


async def _turn(
    dispatcher: Dispatcher, ended: Sequence[Tried], room: tuple[int, int]
) -> tuple[Sequence[Tried], Sequence[Claimed]]:
    """Record how tries ended, then take what is due; which of them could not be recorded, and what was taken."""
    tries, retries = room
    try:
        if ended:
            await asyncio.to_thread(recording.save, dispatcher.sessions, ended)
            ended = ()
        if tries < 1:
            return (), ()
        return ended, await asyncio.to_thread(claim, dispatcher, tries, retries=retries)
    except OUTAGES as error:
        if not is_outage(error):
            raise
        log.warning(
            "database away, deliveries wait", unkept=len(ended), error=class_and_code(error)
        )
        return ended, ()
