"""Each event of a batch on its own: a record for Kafka, or the reason why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import orjson
from msgspec.structs import replace

from services.scoring.ingest.batch import Batch
from services.scoring.ingest.event import Arrival
from services.scoring.ingest.reading import pieces
from services.scoring.ingest.refusals import OversizedEvent, TooDeep
from services.scoring.queries.rejections import Body, Rejection
from shared import values
from shared.contracts.payloads import MarketingEvent
from shared.contracts.topic import Outgoing
from shared.contracts.topics import MARKETING_EVENTS
from shared.errors import Rejected
from shared.text import storable

OUT_OF_RANGE = "number_as_text"
"""The mark of an event in which a number is kept as text, for it is beyond what readers hold."""

MAX_REASON = 1_000
MAX_BODY_BYTES = 32_000
"""How much is kept of the reason, and of what was refused."""


@dataclass(slots=True)
class Outcome:
    """What became of the events."""

    records: list[Outgoing] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)
    refused: list[tuple[int, str | None, Rejected]] = field(default_factory=list)
    put_off: list[tuple[int, str | None]] = field(default_factory=list)


class Batches:
    """A body's events as the quick parser reads them; those with numbers that it rounds, from an exact reading.

    So what becomes of an event does not depend on what else is in the body.
    """

    def __init__(self, quick: Batch, read_exactly: Callable[[], Batch]) -> None:
        self.quick = quick
        self._read_exactly = read_exactly
        self._exact: Batch | None = None
        self._common = values.out_of_range(quick.common.values())

    def convert(self, place: int, arrival: Arrival) -> MarketingEvent:
        """The event with every value as it may be; raises Rejected."""
        item = self.quick.items[place]
        inside = item.values() if isinstance(item, dict) else ()
        if not (values.out_of_range(inside) or self._common):
            return self.quick.convert(item, arrival)
        if self._exact is None:
            self._exact = self._read_exactly()
        return _marked(self._exact.convert(self._exact.items[place], arrival))


def _marked(event: MarketingEvent) -> MarketingEvent:
    if not values.out_of_range((event.traits, event.properties, event.context)):
        return event
    return replace(event, marks=(*event.marks, OUT_OF_RANGE))


def judged(
    batches: Batches, arrival: Arrival, *, granted: int, max_bytes: int | None, traceparent: str
) -> Outcome:
    """So many events of the batch as are granted, an id only once; the others are put off.

    They are weighed if `max_bytes` says that one may be too large.
    """
    outcome, batch = Outcome(), batches.quick
    for place, item in enumerate(batch.items):
        if place >= granted:
            outcome.put_off.append((place, id_in(item, batch.id_name)))
            continue
        try:
            if max_bytes is not None:
                _weigh(item, max_bytes)
            event = batches.convert(place, arrival)
            if event.id not in outcome.accepted:
                outcome.records.append(_record(event, traceparent))
                outcome.accepted.add(event.id)
        except values.TooDeep:
            outcome.refused.append((place, id_in(item, batch.id_name), TooDeep()))
        except Rejected as wrong:
            outcome.refused.append((place, id_in(item, batch.id_name), wrong))
    return outcome


def rejections(batch: Batch, outcome: Outcome, arrival: Arrival, body: bytes) -> list[Rejection]:
    """What was refused, each with its own bytes as they came, or with the one whole that holds them all."""
    bodies = _bodies(batch, outcome, body)
    return [
        _rejection(wrong, arrival, own, event_id=event_id)
        for (_, event_id, wrong), own in zip(outcome.refused, bodies, strict=True)
    ]


def refused_whole(wrong: Rejected, arrival: Arrival, body: bytes) -> Rejection:
    """A request that makes no sense at all."""
    return _rejection(wrong, arrival, _body(body), event_id=None)


def _rejection(wrong: Rejected, arrival: Arrival, body: Body, *, event_id: str | None) -> Rejection:
    reason = storable(wrong.message)[:MAX_REASON]
    return Rejection(arrival.source, event_id, arrival.received_at, wrong.code, reason, body)


def id_in(item: object, name: str) -> str | None:
    """The sender's id, if it can be told."""
    said = item.get(name) if isinstance(item, dict) else None
    return said[:200] if isinstance(said, str) else None


def _weigh(item: object, max_bytes: int) -> None:
    try:
        size = len(orjson.dumps(item))
    except orjson.JSONEncodeError:
        raise TooDeep from None
    if size > max_bytes:
        raise OversizedEvent(f"the event has {size} bytes: {max_bytes} are the most")


def _record(event: MarketingEvent, traceparent: str) -> Outgoing:
    return MARKETING_EVENTS.encode(
        event,
        id=f"{event.source}/{event.id}",
        source=event.source,
        at=event.received_at,
        traceparent=traceparent,
    )


def _bodies(batch: Batch, outcome: Outcome, body: bytes) -> list[Body]:
    """The bytes of each refused event. Where they cannot be told apart the whole stands for each, made once."""
    try:
        own = pieces(body, batch.list_names)
    except (ValueError, IndexError, RecursionError):
        own = []
    if len(own) != len(batch.items):
        return [_body(body)] * len(outcome.refused)
    return [_body(own[place]) for place, _, _ in outcome.refused]


def _body(whole: bytes) -> Body:
    return Body.of(whole, max_bytes=MAX_BODY_BYTES)
