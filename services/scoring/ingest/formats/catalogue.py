"""All formats by name: how the body of a request is read, and how the bytes of a rejection are read again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from services.scoring.ingest.formats.batch import Batch
from services.scoring.ingest.formats.native import native_batch
from services.scoring.ingest.formats.segment import segment_batch, segment_item, segment_single

Parse = Callable[[Any], Batch]
"""Makes the events of a body's JSON; raises InvalidEvent or TooDeep."""


class EventFormat(NamedTuple):
    """A format: its name, and how a body is read, and one event of it where it was stored alone."""

    name: str
    parse: Parse
    parse_stored: Parse


CALLS = {
    "batch": "b",
    "identify": "i",
    "track": "t",
    "page": "p",
    "screen": "s",
    "group": "g",
    "alias": "a",
}
"""Segment's paths, and how its browser client shortens them."""

NATIVE = EventFormat("native", native_batch, native_batch)


def segment_format(call: str) -> EventFormat:
    """The format of one of Segment's calls."""
    if call == "batch":
        return EventFormat("segment/batch", segment_batch, segment_item)
    parse = partial(segment_single, call)
    return EventFormat(f"segment/{call}", parse, parse)


FORMATS = {it.name: it for it in (NATIVE, *map(segment_format, CALLS))}
"""Every format by its name, which is stored with a rejection."""
