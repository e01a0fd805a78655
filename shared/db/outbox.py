"""The outbox: what a transaction says to Kafka, kept with what it did."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from shared.contracts.topic import Headers, Outgoing
from shared.db.tables import outbox

CHANNEL = "leadbaton_outbox"
"""Where PostgreSQL notifies the relay that a transaction has left rows here."""


def append(session: Session, records: Sequence[Outgoing]) -> None:
    """Add the records to this transaction, in this order; the relay publishes them after the commit."""
    if not records:
        return
    rows = [
        {"topic": it.topic, "key": it.key, "value": it.value, "headers": written(it.headers)}
        for it in records
    ]
    session.execute(insert(outbox), rows)
    session.execute(text(f"notify {CHANNEL}"))


def written(headers: Headers) -> list[list[str]]:
    """Headers as JSON can hold them."""
    return [[name, b64encode(value).decode()] for name, value in headers]


def read(headers: Sequence[Sequence[str]]) -> Headers:
    """Headers as they were before `written`."""
    return tuple((name, b64decode(value)) for name, value in headers)
