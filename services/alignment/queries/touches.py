"""The marketing touches of leads, and the wins that they are credited with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import (
    JSON,
    ColumnElement,
    Row,
    Text,
    and_,
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

from services.alignment.domain.attribution import Touch, Win
from services.alignment.domain.facts import Key, shortened
from services.alignment.domain.progress import Outcome
from services.alignment.domain.touches import TouchHistory
from services.alignment.queries.facts import keys_as_rows
from services.alignment.tables import handoffs, touches
from shared.contracts.touches import LeadTouched, TouchCause
from shared.db.time_range import TimeRange

handoff = handoffs.c


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
        Key(lead_id, qualification): TouchHistory(channel, _touches(kept or ()))
        for lead_id, qualification, channel, kept in rows
    }


def _touches(stored: Sequence[Mapping[str, Any]]) -> list[Touch]:
    return [Touch(datetime.fromisoformat(it["at"]), it["channel"], it["campaign"]) for it in stored]


def _is_won_in(times: TimeRange) -> ColumnElement[bool]:
    return and_(handoff.outcome == Outcome.WON.value, *times.conditions(handoff.closed_at))


def wins_in(session: Session, times: TimeRange, *, limit: int) -> list[Win]:
    """Wins of this time whose amounts are known, with their touches, at most `limit`."""
    return [it.win for it in won_handoffs(session, times, limit=limit)]


class WonHandoff(NamedTuple):
    """A handoff that was won, and what is credited for it."""

    key: Key
    handoff_id: UUID
    campaign: str | None
    rep: str | None
    win: Win


def won_handoffs(session: Session, times: TimeRange, *, limit: int) -> list[WonHandoff]:
    """Wins of this time whose amounts are known, with their handoffs and their touches, at most `limit`."""
    statement = (
        select(
            handoff.lead_id,
            handoff.qualification,
            handoff.handoff_id,
            handoff.campaign,
            handoff.rep,
            handoff.closed_at,
            handoff.qualified_at,
            touches.c.known_at,
            handoff.currency,
            handoff.amount_cents,
            func.coalesce(touches.c.touches, func.jsonb_build_array()).label("touches"),
        )
        .select_from(
            handoffs.outerjoin(
                touches,
                and_(
                    touches.c.lead_id == handoff.lead_id,
                    touches.c.qualification == handoff.qualification,
                ),
            )
        )
        .where(_is_won_in(times), handoff.amount_cents.is_not(None))
        .limit(limit)
    )
    return list(map(_won_handoff, session.execute(statement)))


def _won_handoff(row: Row[*tuple[Any, ...]]) -> WonHandoff:
    win = Win(
        row.closed_at,
        row.qualified_at,
        row.known_at,
        row.currency,
        row.amount_cents,
        _touches(row.touches),
    )
    key = Key(row.lead_id, row.qualification)
    return WonHandoff(key, row.handoff_id, row.campaign, row.rep, win)


def count_wins(session: Session, times: TimeRange) -> tuple[int, int]:
    """How many handoffs were won in this time, and how many of them are worth an unknown amount."""
    statement = select(func.count(), func.count().filter(handoff.amount_cents.is_(None))).where(
        _is_won_in(times)
    )
    won, unknown = session.execute(statement).one()
    return won, unknown
