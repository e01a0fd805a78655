"""What streams of changes show of each change of a clock, and to which rep."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from shared.contracts.payloads import SlaChanged
from shared.contracts.topic import Message
from shared.messaging.feed import Excerpt


def clock_excerpts(_: Session, messages: Sequence[Message[SlaChanged]]) -> list[Excerpt]:
    """Each change as it is; the rep whose clock it is sees it too."""
    return [
        Excerpt(it.json, {} if it.payload.rep is None else {it.payload.rep: it.json})
        for it in messages
    ]
