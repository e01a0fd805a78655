"""Converts each event of a batch alone: to a record for Kafka, or to a refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson
from msgspec.structs import replace

from services.scoring.ingest.body import event_bytes
from services.scoring.ingest.declared_traits import DeclaredTraits
from services.scoring.ingest.errors import OversizedEvent, TooDeep
from services.scoring.ingest.formats.batch import Batch
from services.scoring.ingest.normalize.event import AcceptedEvent, Arrival, EventWarning
from services.scoring.ingest.normalize.timestamps import in_batch_order
from services.scoring.queries.rejections import Body, Rejection
from shared import values
from shared.contracts.payloads import MarketingEvent
from shared.contracts.topic import Outgoing
from shared.contracts.topics import MARKETING_EVENTS
from shared.errors import Rejected
from shared.text import storable

OUT_OF_RANGE = "number_as_text"
"""The mark of an event in which a number is kept as text, as it is too large or too precise for readers."""

MAX_REASON = 1_000
MAX_BODY_BYTES = 32_000
"""How many characters of the reason and how many bytes of the event are kept."""


class Refusal(NamedTuple):
    """A refused event of the batch: its position, its id if it has a readable one, and why it is refused."""

    position: int
    event_id: str | None
    error: Rejected


class Deferral(NamedTuple):
    """An event of the batch that the sender must send again."""

    position: int
    event_id: str | None


@dataclass(slots=True)
class Outcome:
    """The outcome of a batch."""

    records: list[Outgoing] = field(default_factory=list)
    accepted_ids: set[str] = field(default_factory=set)
    warnings: dict[str, tuple[EventWarning, ...]] = field(default_factory=dict)
    """What the senders of accepted events should know about them, by the events' ids."""
    refusals: list[Refusal] = field(default_factory=list)
    deferrals: list[Deferral] = field(default_factory=list)


class BatchReader:
    """Converts a body's events as orjson has parsed them, or, where it has rounded a number, from an exact parse.

    So an event's outcome does not depend on the other events of the body.
    """

    def __init__(
        self, batch: Batch, read_exactly: Callable[[], Batch], *, max_bytes: int | None
    ) -> None:
        """`max_bytes` is the limit of an event's size, or None if no event of the body can be larger."""
        self.batch = batch
        self._read_exactly = read_exactly
        self._max_bytes = max_bytes
        self._exact: Batch | None = None
        self._common = values.out_of_range(batch.common.values())

    def convert(self, index: int, arrival: Arrival) -> AcceptedEvent:
        """The event of this number; raises Rejected."""
        item = self.batch.items[index]
        if self._max_bytes is not None:
            _check_size(item, self._max_bytes)
        inside = item.values() if isinstance(item, dict) else ()
        try:
            rounded = values.out_of_range(inside) or self._common
        except values.TooDeep:
            raise TooDeep from None
        if not rounded:
            return self.batch.convert(item, arrival)
        if self._exact is None:
            self._exact = self._read_exactly()
        return _mark_out_of_range(self._exact.convert(self._exact.items[index], arrival))


def _mark_out_of_range(accepted: AcceptedEvent) -> AcceptedEvent:
    event = accepted.event
    if not values.out_of_range((event.traits, event.properties, event.context)):
        return accepted
    return accepted._replace(event=replace(event, marks=(*event.marks, OUT_OF_RANGE)))


def convert_batch(
    reader: BatchReader,
    arrival: Arrival,
    *,
    allowed: int,
    traceparent: str,
    declared_traits: DeclaredTraits | None = None,
) -> Outcome:
    """The first `allowed` events of the batch as records, each id once; the others are deferred."""
    outcome, batch = Outcome(), reader.batch
    events: list[MarketingEvent] = []
    for index, item in enumerate(batch.items):
        if index >= allowed:
            outcome.deferrals.append(Deferral(index, id_in(item, batch.id_name)))
            continue
        try:
            event, warnings = reader.convert(index, arrival)
        except Rejected as error:
            outcome.refusals.append(Refusal(index, id_in(item, batch.id_name), error))
        else:
            if event.id not in outcome.accepted_ids:
                outcome.accepted_ids.add(event.id)
                events.append(event)
                if declared_traits is not None:
                    warnings += declared_traits.warnings(event.traits)
                if warnings:
                    outcome.warnings[event.id] = warnings
    outcome.records = [_record(event, traceparent) for event in _in_batch_order(events, arrival)]
    return outcome


def _in_batch_order(events: Sequence[MarketingEvent], arrival: Arrival) -> Iterator[MarketingEvent]:
    """The events; those of one instant are told apart by microseconds, in the order of the batch."""
    times = in_batch_order([event.time for event in events], arrival.received_at)
    for event, time in zip(events, times, strict=True):
        yield event if time is event.time else replace(event, time=time)


def rejections(
    batch: Batch, outcome: Outcome, arrival: Arrival, body: bytes, format_name: str
) -> list[Rejection]:
    """The rejections of the refused events, each with the event's bytes as they came, or with the whole body."""
    bodies = _bodies(batch, outcome, body)
    return [
        _rejection(refusal.error, arrival, own, format_name, event_id=refusal.event_id)
        for refusal, own in zip(outcome.refusals, bodies, strict=True)
    ]


def rejection_of_body(
    error: Rejected, arrival: Arrival, body: bytes, format_name: str
) -> Rejection:
    """The rejection of a whole request."""
    return _rejection(error, arrival, _body(body), format_name, event_id=None)


def _rejection(
    error: Rejected, arrival: Arrival, body: Body, format_name: str, *, event_id: str | None
) -> Rejection:
    return Rejection(
        source=arrival.source,
        event_id=event_id,
        received_at=arrival.received_at,
        code=error.code,
        reason=storable(error.message)[:MAX_REASON],
        format=format_name,
        body=body,
    )


def id_in(item: object, name: str) -> str | None:
    """The sender's id of the event, if it is text."""
    value = item.get(name) if isinstance(item, dict) else None
    return value[:200] if isinstance(value, str) else None


def _check_size(item: object, max_bytes: int) -> None:
    try:
        size = len(orjson.dumps(item))
    except orjson.JSONEncodeError:
        raise TooDeep from None
    if size > max_bytes:
        raise OversizedEvent(f"the event has {size} bytes: send at most {max_bytes}")


def _record(event: MarketingEvent, traceparent: str) -> Outgoing:
    return MARKETING_EVENTS.encode(
        event,
        id=f"{event.source}/{event.id}",
        source=event.source,
        at=event.received_at,
        traceparent=traceparent,
    )


def _bodies(batch: Batch, outcome: Outcome, body: bytes) -> list[Body]:
    """The bytes of each refused event; where events cannot be separated, the whole body for each, made once."""
    try:
        own = event_bytes(body, batch.list_names)
    except (ValueError, IndexError, RecursionError):
        own = []
    if len(own) != len(batch.items):
        return [_body(body)] * len(outcome.refusals)
    return [_body(own[refusal.position]) for refusal in outcome.refusals]


def _body(content: bytes) -> Body:
    return Body.of(content, max_bytes=MAX_BODY_BYTES)
