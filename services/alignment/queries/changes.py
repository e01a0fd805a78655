"""The changes of handoffs, without names of people, from which facts are derived."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.alignment.queries.arrays import array_text
from shared.contracts.codec import encode
from shared.contracts.payloads import HandoffChanged
from shared.contracts.topics import HANDOFFS_CHANGED

_ADD = text("""
    insert into alignment.changes (handoff_id, sequence, payload)
    select handoff_id, sequence, payload
    from json_to_recordset(cast(:changes as json)) as added(handoff_id uuid, sequence integer, payload jsonb)
    on conflict do nothing
    returning handoff_id, sequence
""")
_OLDER = text("""
    select cast(payload as text) as payload from alignment.changes
    where handoff_id = any(cast(:ids as uuid[])) and (handoff_id, sequence) not in (
        select id, number from unnest(cast(:ids as uuid[]), cast(:sequences as integer[])) as added(id, number)
    )
""")


def add_changes(
    session: Session, handoff_changes: Iterable[HandoffChanged]
) -> list[HandoffChanged]:
    """Add the changes that are not stored yet, in the order of their keys; returns them, without names of people."""
    changes = {_key(it): replace(it, lead_name=None, actor=None) for it in handoff_changes}
    rows = [
        {"handoff_id": it.handoff_id, "sequence": it.sequence, "payload": it}
        for _, it in sorted(changes.items())
    ]
    added = session.execute(_ADD, {"changes": encode(rows).decode()})
    return [changes[handoff_id.int, sequence] for handoff_id, sequence in added.all()]


def histories_of(
    session: Session, added: Sequence[HandoffChanged]
) -> Iterator[list[HandoffChanged]]:
    """All changes of each of the handoffs of these changes, which are stored already, in the order of `sequence`."""
    histories: defaultdict[UUID, list[HandoffChanged]] = defaultdict(list)
    ids, sequences = (
        array_text(getattr(it, name) for it in added) for name in ("handoff_id", "sequence")
    )
    older = session.scalars(_OLDER, {"ids": ids, "sequences": sequences}).all()
    for change in (*map(HANDOFFS_CHANGED.codec.decode, older), *added):
        histories[change.handoff_id].append(change)
    for history in histories.values():
        yield sorted(history, key=lambda it: it.sequence)


def _key(change: HandoffChanged) -> tuple[int, int]:
    """The key as numbers, which are compared several times as fast as UUIDs; the order is PostgreSQL's."""
    return change.handoff_id.int, change.sequence
