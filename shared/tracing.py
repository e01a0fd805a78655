"""W3C trace context: one trace id from the HTTP post to the webhook, a new span id at each hop."""

from __future__ import annotations

import re
from secrets import token_hex

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
_SAMPLED = "01"


def child_of(traceparent: str | None) -> str:
    """The traceparent for the next hop; a new trace if there is none, or if it makes no sense."""
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if found is None or not int(found[1], 16) or not int(found[2], 16):
        return f"00-{token_hex(16)}-{token_hex(8)}-{_SAMPLED}"
    return f"00-{found[1]}-{token_hex(8)}-{found[3]}"


def trace_id(traceparent: str | None) -> str | None:
    """The part that all hops share, for log lines; None if there is none."""
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    return found[1] if found else None
