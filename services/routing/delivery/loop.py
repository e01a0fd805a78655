"""The loop of delivery: as many attempts in flight as there is room for, and none sent inside a transaction."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import structlog

from services.routing.delivery import outcomes
from services.routing.delivery.dispatcher import Dispatcher, claim
from services.routing.delivery.finished import FinishedAttempt
from services.routing.delivery.send import LastResponses, make_attempt
from services.routing.queries.claims import ClaimedDelivery
from shared.db.outages import OUTAGES, class_and_code, is_outage
from shared.http.outbound import Clients

log = structlog.get_logger(__name__)

MAX_QUICK = 64
"""How many quick attempts are in flight at once."""
RESERVED_FOR_FIRST = 16
"""How many of these are reserved for first attempts, so that a new lead never waits for retries."""
SLOW_S = 0.3
"""An attempt in flight for longer is slow, and does not count as quick: it only waits for a host."""
MAX_IN_FLIGHT = 512
"""How many attempts are in flight at once, slow ones included."""
MAX_RETRIES = 256
"""How many of these are retries."""
POLL_S = 1.0
LAST_RECORDING_S, RECORDING_PAUSE_S = 3.0, 0.1
"""For how long, and after which pauses, a failed recording is repeated when the process is asked to stop."""


class InFlight:
    """The attempts in flight; `wake_event` is set whenever one ends."""

    def __init__(self, wake_event: asyncio.Event) -> None:
        self._woken = wake_event
        self._began_s: dict[asyncio.Task[FinishedAttempt], float] = {}
        self._ended_tasks: list[asyncio.Task[FinishedAttempt]] = []

    def start(self, attempt: Coroutine[Any, Any, FinishedAttempt]) -> None:
        """Start an attempt."""
        task = asyncio.create_task(attempt)
        self._began_s[task] = time.monotonic()
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[FinishedAttempt]) -> None:
        del self._began_s[task]
        self._ended_tasks.append(task)
        self._woken.set()

    def ended(self) -> list[FinishedAttempt]:
        """The attempts that have ended since the last call."""
        tasks, self._ended_tasks = self._ended_tasks, []
        return [it.result() for it in tasks]

    def room(self) -> tuple[int, int]:
        """How many attempts may start now, and how many of these may be retries."""
        slow_s, count = time.monotonic() - SLOW_S, len(self._began_s)
        quick_count = sum(1 for it in self._began_s.values() if it > slow_s)
        attempts = min(MAX_QUICK - quick_count, MAX_IN_FLIGHT - count)
        return attempts, max(0, min(attempts - RESERVED_FOR_FIRST, MAX_RETRIES - count))

    async def finish(self, grace_s: float) -> list[FinishedAttempt]:
        """Wait for the attempts, at most this long, cancel the others, and return those that have ended."""
        if self._began_s:
            await asyncio.wait(self._began_s, timeout=grace_s)
        ended, left = self.ended(), list(self._began_s)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        return ended


async def deliver(
    dispatcher: Dispatcher,
    *,
    stop: threading.Event,
    wake_event: asyncio.Event,
    beat: Callable[[], None],
) -> None:
    """Deliver until `stop` is set. `wake_event` is set when a delivery was added; the loop polls once a second anyway.

    Outcomes are recorded in groups: while one group is recorded, further attempts end. During an outage of the database
    outcomes are held in memory, and nothing more is claimed.
    """
    in_flight, responses = InFlight(wake_event), LastResponses()
    ended: Sequence[FinishedAttempt] = ()
    async with Clients(dispatcher.destination_policy, connections=MAX_IN_FLIGHT) as clients:
        while not stop.is_set():
            beat()
            wake_event.clear()
            ended, claimed = await _record_and_claim(dispatcher, ended, in_flight.room())
            for delivery in claimed:
                in_flight.start(make_attempt(dispatcher, clients, responses, delivery))
            await _wait(wake_event, POLL_S if in_flight.room()[0] > 0 else SLOW_S)
            ended = (*ended, *in_flight.ended())
        ended = (*ended, *await in_flight.finish(dispatcher.grace_s))
    await record_last(dispatcher, ended)


async def _wait(wake_event: asyncio.Event, max_s: float) -> None:
    """Wait until an attempt ends or a delivery is added, at most this long."""
    try:
        async with asyncio.timeout(max_s):
            await wake_event.wait()
    except TimeoutError:
        return


async def record_last(dispatcher: Dispatcher, ended: Sequence[FinishedAttempt]) -> None:
    """Record how the last attempts ended; an outage of the database is waited for, but not for long."""
    end_s = time.monotonic() + LAST_RECORDING_S
    while ended:
        ended, _ = await _record_and_claim(dispatcher, ended, (0, 0))
        if time.monotonic() > end_s:
            break
        await asyncio.sleep(RECORDING_PAUSE_S if ended else 0)
    if ended:
        log.error(
            "attempts are not recorded, their webhooks will be sent again", attempts=len(ended)
        )


async def _record_and_claim(
    dispatcher: Dispatcher, ended: Sequence[FinishedAttempt], room: tuple[int, int]
) -> tuple[Sequence[FinishedAttempt], Sequence[ClaimedDelivery]]:
    """Record how attempts ended, then claim due deliveries.

    Returns the attempts that could not be recorded, and the claimed deliveries.
    """
    attempts, retries = room
    try:
        if ended:
            await asyncio.to_thread(outcomes.save_outcomes, dispatcher.sessions, ended)
            ended = ()
        if attempts < 1:
            return (), ()
        return ended, await asyncio.to_thread(claim, dispatcher, attempts, retries=retries)
    except OUTAGES as error:
        if not is_outage(error):
            raise
        log.warning(
            "database away, deliveries wait", unrecorded=len(ended), error=class_and_code(error)
        )
        return ended, ()
