"""What streams of changes show of each change of a handoff, and to which reps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace
from sqlalchemy.orm import Session

from services.routing.queries import changes
from shared.contracts.codec import encode
from shared.contracts.payloads import Change, HandoffChanged
from shared.contracts.topic import Message
from shared.messaging.feed import Excerpt

LOSSES = frozenset(
    {Change.WAITING, Change.ASSIGNED, Change.REJECTED, Change.REASSIGNED, Change.RETURNED}
)
"""The changes that may take a handoff from its rep."""


def handoff_excerpts(
    session: Session, messages: Sequence[Message[HandoffChanged]]
) -> list[Excerpt]:
    """Each change for its holder as it is, and for the rep who loses the handoff without the next rep."""
    holders = changes.holders_before(
        session,
        [
            (it.payload.handoff_id, it.payload.sequence)
            for it in messages
            if it.payload.change in LOSSES
        ],
    )
    return [
        Excerpt(it.json, _by_rep(it, holders.get((it.payload.handoff_id, it.payload.sequence))))
        for it in messages
    ]


def _by_rep(message: Message[HandoffChanged], before: changes.Holder | None) -> Mapping[str, bytes]:
    change = message.payload
    by_rep = {} if change.rep is None else {change.rep: message.json}
    if before is not None and before.rep != change.rep:
        last = replace(change, rep=None, calendar=None, assigned_at=None, hop=before.hop)
        by_rep[before.rep] = encode(last)
    return by_rep
