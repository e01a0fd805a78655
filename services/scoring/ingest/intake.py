"""One request with events: admitted, read, judged, published, and what was refused kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from services.scoring.ingest.admission import admitted, write_key
from services.scoring.ingest.batch import Batch
from services.scoring.ingest.event import Arrival
from services.scoring.ingest.judging import Batches, Outcome, judged, refused_whole, rejections
from services.scoring.ingest.metrics import events
from services.scoring.ingest.rates import Buckets
from services.scoring.ingest.reading import read
from services.scoring.ingest.refusals import InvalidEvent, TooDeep, TooManyEvents
from services.scoring.ingest.rejections import keep
from services.scoring.queries.rejections import Rejection
from shared.auth.keys import Caller
from shared.contracts.topic import Outgoing
from shared.http.headers import presented_key
from shared.http.media import UnsupportedType, not_json
from shared.http.problems import MalformedBody
from shared.values import exactly


class Publisher(Protocol):
    """Where accepted events go."""

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Return when they are safe; raise Unavailable when they are not."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a request may hold, and how much a key may send in a second."""

    event_bytes: int = 32_000
    events: int = 2_500
    rate: int = 1_000
    burst: int = 10_000


DEFAULTS = Limits()


class Intake:
    """Takes events in, on the event loop: nothing here waits for anything but acknowledgements."""

    def __init__(self, publisher: Publisher, limits: Limits) -> None:
        self._publisher = publisher
        self._limits = limits
        self._buckets = Buckets(limits.rate, limits.burst)

    async def take(
        self, request: Request, parse: Callable[[Any], Batch], *, divisible: bool
    ) -> Outcome:
        """What became of each event. A divisible batch comes in as far as the key's rate allows.

        Raises Rejected or Unavailable when none of it was accepted.
        """
        body: bytes = request.scope["body"]
        sender, batch = await self._opened(request, body, parse)
        arrival = Arrival(sender.subject, request.app.state.time_source())
        granted = self._granted(sender, batch, divisible=divisible)
        outcome = judged(
            Batches(batch, partial(_exactly, body, parse)),
            arrival,
            granted=granted,
            max_bytes=self._limits.event_bytes if len(body) > self._limits.event_bytes else None,
            traceparent=request.scope["traceparent"],
        )
        await self._publisher.publish(outcome.records)
        if outcome.refused:
            await _keep(request, rejections(batch, outcome, arrival, body))
        _count(batch.format, outcome)
        return outcome

    async def _opened(
        self, request: Request, body: bytes, parse: Callable[[Any], Batch]
    ) -> tuple[Caller, Batch]:
        """Who sends, and what; a body that makes no sense at all is kept if we know whose it is."""
        key = presented_key(request.scope)
        sender = await admitted(request, key) if key is not None else None
        try:
            content = _read(request, body)
            sender = sender or await admitted(request, write_key(content))
            return sender, parse(content)
        except (MalformedBody, UnsupportedType, InvalidEvent, TooDeep) as wrong:
            if sender is not None:
                arrival = Arrival(sender.subject, request.app.state.time_source())
                await _keep(request, [refused_whole(wrong, arrival, body)])
            raise

    def _granted(self, sender: Caller, batch: Batch, *, divisible: bool) -> int:
        wanted = len(batch.items)
        if wanted > self._limits.events:
            raise TooManyEvents(f"{wanted} events in a request: {self._limits.events} are the most")
        take = self._buckets.some if divisible else self._buckets.all
        return take(sender.key_id, wanted)


def _exactly(body: bytes, parse: Callable[[Any], Batch]) -> Batch:
    """The same events, every digit of theirs; raises TooDeep where the exact parser ends before the quick one."""
    try:
        return parse(exactly(body))
    except ValueError:
        raise TooDeep from None


def _read(request: Request, body: bytes) -> Any:
    """The body's JSON, whatever its type says; raises MalformedBody, or UnsupportedType if that promises no JSON."""
    try:
        return read(body)
    except MalformedBody as wrong:
        raise not_json(request.scope, wrong.message) from None


async def _keep(request: Request, refused: list[Rejection]) -> None:
    await run_in_threadpool(keep, request.app.state.sessions, refused)


def _count(form: str, outcome: Outcome) -> None:
    events(form, "ok").inc(len(outcome.records))
    if outcome.put_off:
        events(form, "retry").inc(len(outcome.put_off))
    for _, _, wrong in outcome.refused:
        events(form, wrong.code).inc()
