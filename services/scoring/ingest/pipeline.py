"""A request with events: authenticated, parsed, converted, published; what was refused is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from services.scoring.ingest.auth import authenticate, write_key
from services.scoring.ingest.body import parse_body
from services.scoring.ingest.conversion import (
    BatchReader,
    Outcome,
    convert_batch,
    rejection_of_body,
    rejections,
)
from services.scoring.ingest.declared_traits import DeclaredTraits
from services.scoring.ingest.errors import InvalidEvent, TooDeep, TooManyEvents
from services.scoring.ingest.formats.batch import Batch
from services.scoring.ingest.formats.catalogue import FORMATS, EventFormat, Parse
from services.scoring.ingest.metrics import WARNINGS, events
from services.scoring.ingest.normalize.event import Arrival
from services.scoring.ingest.rate_limits import RateLimiter
from services.scoring.ingest.rejections import keep
from services.scoring.queries.rejections import Rejection, StoredRejection
from shared.auth.keys import Caller
from shared.contracts.topic import Outgoing
from shared.http.headers import presented_key
from shared.http.media import UnsupportedType, not_json_error
from shared.http.problems import MalformedBody
from shared.values import loads_exactly


class Publisher(Protocol):
    """Where accepted events go."""

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Return when they are safe; raise Unavailable when they are not."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a request may hold, and how much a key may send in a second."""

    request_bytes: int = 1_000_000
    event_bytes: int = 32_768
    events: int = 2_500
    rate: int = 1_000
    burst: int = 10_000


DEFAULTS = Limits()


class Pipeline:
    """Takes events in, on the event loop; it waits only for acknowledgements, and for the database in a thread."""

    def __init__(
        self, publisher: Publisher, limits: Limits, declared_traits: DeclaredTraits | None
    ) -> None:
        self._publisher = publisher
        self._limits = limits
        self._declared_traits = declared_traits
        self._rates = RateLimiter(limits.rate, limits.burst)

    async def take(
        self, request: Request, event_format: EventFormat, *, divisible: bool
    ) -> Outcome:
        """The outcome of each event. Of a divisible batch as many are taken as the key's rate allows.

        Raises Rejected or Unavailable when none of it was accepted.
        """
        body: bytes = request.scope["body"]
        sender, batch = await self._admit_and_parse(request, body, event_format)
        arrival = Arrival(sender.subject, request.app.state.time_source())
        outcome = convert_batch(
            self._reader(batch, body, event_format.parse),
            arrival,
            allowed=self._allowed_count(sender, batch, divisible=divisible),
            traceparent=request.scope["traceparent"],
            declared_traits=self._declared_traits,
        )
        await self._publisher.publish(outcome.records)
        if outcome.refusals:
            await _keep(request, rejections(batch, outcome, arrival, body, event_format.name))
        _count(batch.format, sender.subject, outcome)
        return outcome

    async def take_again(self, request: Request, rejection: StoredRejection) -> Outcome:
        """The outcome of the rejection's events, whose bytes are all kept; what is refused again is not stored again.

        Raises Rejected where they are refused as a whole, or Unavailable.
        """
        body, parse = rejection.bytes, FORMATS[rejection.format].parse_stored
        batch = parse(parse_body(body))
        outcome = convert_batch(
            self._reader(batch, body, parse),
            Arrival(rejection.source, request.app.state.time_source()),
            allowed=len(batch.items),
            traceparent=request.scope["traceparent"],
            declared_traits=self._declared_traits,
        )
        await self._publisher.publish(outcome.records)
        _count(batch.format, rejection.source, outcome)
        return outcome

    def _reader(self, batch: Batch, body: bytes, parse: Parse) -> BatchReader:
        max_bytes = self._limits.event_bytes
        return BatchReader(
            batch,
            partial(_exactly, body, parse),
            max_bytes=max_bytes if len(body) > max_bytes else None,
        )

    async def _admit_and_parse(
        self, request: Request, body: bytes, event_format: EventFormat
    ) -> tuple[Caller, Batch]:
        """The sender and the parsed batch; a body that is refused as a whole is stored if the sender is known."""
        key = presented_key(request.scope)
        sender = await authenticate(request, key) if key is not None else None
        try:
            content = _parse(request, body)
            sender = sender or await authenticate(request, write_key(content))
            return sender, event_format.parse(content)
        except (MalformedBody, UnsupportedType, InvalidEvent, TooDeep) as error:
            if sender is not None:
                arrival = Arrival(sender.subject, request.app.state.time_source())
                await _keep(request, [rejection_of_body(error, arrival, body, event_format.name)])
            raise

    def _allowed_count(self, sender: Caller, batch: Batch, *, divisible: bool) -> int:
        """How many of the events are taken now; raises TooManyEvents or RateLimited."""
        count = len(batch.items)
        if count > self._limits.events:
            raise TooManyEvents(f"{count} events in a request: send at most {self._limits.events}")
        take = self._rates.take_some if divisible else self._rates.take_all
        return take(sender.key_id, count)


def _exactly(body: bytes, parse: Parse) -> Batch:
    """The same events with every digit; raises TooDeep where they are nested too deeply for the exact parser."""
    try:
        return parse(loads_exactly(body))
    except ValueError:
        raise TooDeep from None


def _parse(request: Request, body: bytes) -> Any:
    """The body's JSON, whatever its type says; raises MalformedBody, or UnsupportedType if that promises no JSON."""
    try:
        return parse_body(body)
    except MalformedBody as error:
        raise not_json_error(request.scope, error.message) from None


async def _keep(request: Request, refused: list[Rejection]) -> None:
    await run_in_threadpool(keep, request.app.state.sessions, refused)


def _count(format_name: str, source: str, outcome: Outcome) -> None:
    events(format_name, "ok").inc(len(outcome.records))
    if outcome.deferrals:
        events(format_name, "retry").inc(len(outcome.deferrals))
    for refusal in outcome.refusals:
        events(format_name, refusal.error.code).inc()
    for warnings in outcome.warnings.values():
        for warning in warnings:
            WARNINGS.labels(source, warning.code).inc()
