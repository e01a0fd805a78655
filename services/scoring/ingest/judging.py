"""Each event of a batch on its own: a record for Kafka, or the reason why not."""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson
from pydantic_core import PydanticSerializationError

from services.scoring.ingest.batch import Batch
from services.scoring.ingest.event import Arrival
from services.scoring.ingest.reading import pieces
from services.scoring.ingest.refusals import OversizedEvent, TooDeep
from services.scoring.queries.rejections import Body, Rejection
from shared.contracts.payloads import MarketingEvent
from shared.contracts.topic import Outgoing
from shared.contracts.topics import MARKETING_EVENTS
from shared.errors import Rejected
from shared.text import storable

DEEPEST = 100
"""Levels of nesting. Readers of JSON have limits of their own, pydantic's is 200: none may be met behind Kafka."""

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


def judged(
    batch: Batch, arrival: Arrival, *, granted: int, most_bytes: int | None, traceparent: str
) -> Outcome:
    """So many events of the batch as are granted, an id only once; the others are put off.

    They are weighed if `most_bytes` says that one may be too large.
    """
    outcome = Outcome()
    for place, item in enumerate(batch.items):
        if place >= granted:
            outcome.put_off.append((place, id_in(item, batch.id_name)))
            continue
        try:
            if most_bytes is not None:
                _weigh(item, most_bytes)
            event = batch.convert(item, arrival)
            if event.id not in outcome.accepted:
                outcome.records.append(_record(event, traceparent))
                outcome.accepted.add(event.id)
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


def _weigh(item: object, most_bytes: int) -> None:
    try:
        size = len(orjson.dumps(item))
    except orjson.JSONEncodeError:
        raise TooDeep from None
    if size > most_bytes:
        raise OversizedEvent(f"the event has {size} bytes: {most_bytes} are the most")


def _record(event: MarketingEvent, traceparent: str) -> Outgoing:
    try:
        record = MARKETING_EVENTS.encode(
            event,
            id=f"{event.source}/{event.id}",
            source=event.source,
            at=event.received_at,
            traceparent=traceparent,
        )
    except PydanticSerializationError:
        raise TooDeep from None
    if record.value.count(b"{") + record.value.count(b"[") > DEEPEST:  # else it cannot be deep
        told = (event.traits, event.properties, event.context)
        if any(_is_deeper(it, DEEPEST) for it in told):
            raise TooDeep
    return record


def _is_deeper(said: object, levels: int) -> bool:
    if not isinstance(said, dict | list):
        return False
    inside = said.values() if isinstance(said, dict) else said
    return levels == 0 or any(_is_deeper(it, levels - 1) for it in inside)


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
