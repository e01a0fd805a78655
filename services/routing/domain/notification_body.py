"""The bytes of a notification, in at most 20 KB: what does not fit is left out, the least useful first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import orjson

MAX_BYTES = 20_000

Parts = dict[str, msgspec.Raw]
"""Parts of a body as their bytes: they may hold numbers that few decoders accept."""


class _Body(msgspec.Struct):
    data: Parts


_body_of = msgspec.json.Decoder(_Body).decode
_lead_of = msgspec.json.Decoder(Parts).decode
_parts_of_card = msgspec.json.Decoder(Parts | None).decode


def body(type: str, data: dict[str, Any], *, at: datetime) -> bytes:
    """The exact bytes. Parts that do not fit are left out, the least useful first, and `shortened` is true then."""
    encoded = orjson.dumps({"type": type, "timestamp": at, "data": data})
    for shorten in _SHORTER:
        if len(encoded) < MAX_BYTES:
            break
        parts = _body_of(encoded).data
        lead = _lead_of(parts.get("lead", b"{}"))
        data = {
            **_as_written(parts),
            "lead": {**_as_written(shorten(lead)), "shortened": True},
        }
        encoded = orjson.dumps({"type": type, "timestamp": at, "data": data})
    return encoded


def notification_data(encoded: bytes) -> dict[str, orjson.Fragment]:
    """The parts of a body's data, each as it is written there."""
    return _as_written(_body_of(encoded).data)


def _as_written(parts: Parts) -> dict[str, orjson.Fragment]:
    return {name: orjson.Fragment(bytes(it)) for name, it in parts.items()}


def _without(*names: str) -> Callable[[Parts], Parts]:
    return lambda lead: {name: it for name, it in lead.items() if name not in names}


def _shorter_card(lead: Parts) -> Parts:
    """The lead without what it read and bought."""
    parts = _parts_of_card(lead["lead_card"]) if "lead_card" in lead else None
    if parts is None:
        return lead
    shorter = _without("topics", "pages", "purchases")(parts)
    return {**lead, "lead_card": msgspec.Raw(msgspec.json.encode(shorter))}


_SHORTER = (
    _without("recent"),
    _shorter_card,
    _without("traits"),
    _without("why_now", "reasons", "first_campaign", "last_campaign", "sources", "lead_card"),
    _without("name", "company"),
)
