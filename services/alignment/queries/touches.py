"""The marketing touches of leads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    ColumnElement,
    Row,
    Text,
    bindparam,
    case,
    cast,
    column,
    func,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from services.alignment.domain.attribution import Touch
from services.alignment.domain.facts import Key, shortened
from services.alignment.domain.touches import TouchHistory
from services.alignment.queries.facts import keys_as_rows
from services.alignment.tables import touches
from shared.contracts.touches import LeadTouched, TouchCause


def add_touches(session: Session, announced: Sequence[LeadTouched]) -> dict[Key, TouchHistory]:
    """Keep the touches of each handoff: of two announcements the later one, of those at one instant the longer one.

    The channel of the last touch before the lead qualified is kept from the announcement of its qualification. Returns
    what is kept, as `histories_of` does.
    """
    histories: dict[Key, TouchHistory] = {}
    for batch in _once_a_key(announced):
        rows = orjson.dumps([_row(it) for it in sorted(batch.values(), key=_order)]).decode()
        histories.update(_histories(session.execute(_ADD, {"rows": rows}).all()))
    return histories


def _once_a_key(announced: Sequence[LeadTouched]) -> list[dict[Key, LeadTouched]]:
    """The announcements in their order, in batches that have one of each key: a statement changes no row twice."""
    batches: list[dict[Key, LeadTouched]] = []
    numbers = Counter[Key]()
    for announcement in announced:
        key = Key(announcement.lead_id, announcement.qualification)
        if numbers[key] == len(batches):
            batches.append({})
        batches[numbers[key]][key] = announcement
        numbers[key] += 1
    return batches


def _order(announced: LeadTouched) -> tuple[int, int]:
    """The order of the keys, by numbers, which are compared several times as fast as UUIDs."""
    return announced.lead_id.int, announced.qualification


def _rank(columns: Any) -> tuple[ColumnElement[Any], ...]:
    """By which of two announcements is kept: its instant, then how many touches it has."""
    return columns.occurred_at, columns.omitted + func.jsonb_array_length(columns.touches)


def _row(announced: LeadTouched) -> dict[str, Any]:
    last = announced.touches[-1] if announced.touches else None
    is_of_qualification = announced.cause is TouchCause.QUALIFIED
    return {
        "lead_id": announced.lead_id,
        "qualification": announced.qualification,
        "occurred_at": announced.occurred_at,
        "known_at": announced.known_at,
        "touches": [
            {
                "at": it.occurred_at,
                "channel": shortened(it.channel),
                "campaign": shortened(it.campaign),
            }
            for it in announced.touches
        ],
        "omitted": announced.omitted,
        "channel": shortened(last.channel) if last is not None and is_of_qualification else None,
    }


_HISTORY = (
    touches.c.lead_id,
    touches.c.qualification,
    touches.c.channel,
    case((touches.c.channel.is_(None), touches.c.touches)).label("touches"),
)
"""What is kept, without the list where the channel was announced."""


def _add() -> ReturningInsert[Any]:
    columns = [column(it.name, it.type) for it in touches.c]
    announced = func.json_to_recordset(cast(cast(bindparam("rows"), Text), JSON))
    rows = announced.table_valued(*columns, name="rows").render_derived(with_types=True)
    statement = insert(touches).from_select([it.name for it in columns], select(*rows.c))
    added = statement.excluded
    is_kept = tuple_(*_rank(touches.c)) < tuple_(*_rank(added))
    replaced = ("occurred_at", "known_at", "touches", "omitted")
    return statement.on_conflict_do_update(
        index_elements=["lead_id", "qualification"],
        set_={
            **{it: case((is_kept, added[it]), else_=touches.c[it]) for it in replaced},
            "channel": func.coalesce(added.channel, touches.c.channel),
        },
    ).returning(*_HISTORY)


_ADD = _add()


def histories_of(session: Session, keys: Collection[Key]) -> dict[Key, TouchHistory]:
    """What is kept of the touches of these handoffs; without the list where the channel was announced."""
    if not keys:
        return {}
    rows = keys_as_rows(keys)
    statement = select(*_HISTORY).join(
        rows, tuple_(*Key(*rows.c)) == tuple_(touches.c.lead_id, touches.c.qualification)
    )
    return _histories(session.execute(statement).all())


def _histories(rows: Iterable[Row[*tuple[Any, ...]]]) -> dict[Key, TouchHistory]:
    return {
        Key(lead_id, qualification): TouchHistory(channel, touches_of(kept or ()))
        for lead_id, qualification, channel, kept in rows
    }


def touches_of(stored: Sequence[Mapping[str, Any]]) -> list[Touch]:
    """The touches of a list as it is stored."""
    return [Touch(datetime.fromisoformat(it["at"]), it["channel"], it["campaign"]) for it in stored]
