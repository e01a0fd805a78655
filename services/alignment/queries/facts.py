"""The facts of handoffs: each service's own are saved, whichever is read first, and the channel is derived from both.

Two workers may save facts of one handoff at once, one from scoring and one from routing: the second one waits until the
transaction of the first one ends.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import (
    ARRAY,
    JSON,
    ColumnElement,
    Integer,
    TableValuedAlias,
    Text,
    bindparam,
    case,
    cast,
    column,
    func,
    select,
    text,
    tuple_,
)
from sqlalchemy import Uuid as SqlUuid
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.orm import Session

from services.alignment.domain.facts import HandoffFacts, Key
from services.alignment.domain.progress import Progress
from services.alignment.domain.qualifications import Qualification
from services.alignment.queries.arrays import array_text
from services.alignment.tables import handoffs
from shared.contracts.codec import encode

_KEY = [handoffs.c[it] for it in Key._fields]
_WITH_INSTANT = [*_KEY, handoffs.c.qualified_at]
_ADD_MISSING = text("""
    insert into alignment.handoffs (lead_id, qualification)
    select lead_id, qualification
    from unnest(cast(:lead_ids as uuid[]), cast(:qualifications as integer[])) as key(lead_id, qualification)
    order by lead_id, qualification
    on conflict do nothing
""")
_SAVE_CHANNELS = text("""
    update alignment.handoffs as stored set channel = derived.channel
    from json_to_recordset(cast(:channels as json)) as derived(lead_id uuid, qualification integer, channel text)
    where (stored.lead_id, stored.qualification) = (derived.lead_id, derived.qualification)
        and stored.channel is distinct from derived.channel
""")


def save_qualifications(
    session: Session, qualifications: Sequence[Qualification]
) -> dict[Key, datetime]:
    """Save one qualification each handoff; returns those that are new or differ, and when they happened."""
    return _saved(session, _SAVE_QUALIFICATIONS, qualifications)


def save_progress(session: Session, progress: Sequence[Progress]) -> dict[Key, datetime]:
    """Save one progress each handoff; returns what differs of handoffs whose qualification was not announced yet.

    Of these, the lead and the instant of its qualification are known from routing alone.
    """
    return _saved(session, _SAVE_PROGRESS, progress)


def locked_qualified_at(session: Session, keys: Collection[Key]) -> dict[Key, datetime | None]:
    """When each of these handoffs qualified, locked until the transaction ends; handoffs that are missing are added."""
    if not keys:
        return {}
    session.execute(_ADD_MISSING, _parameters(keys))
    rows = keys_as_rows(keys)
    statement = (
        select(*_WITH_INSTANT)
        .join(rows, tuple_(*Key(*rows.c)) == tuple_(*_KEY))
        .order_by(*_KEY)
        .with_for_update(of=handoffs)
    )
    return _instants(session.execute(statement).all())


def save_channels(session: Session, channels: Mapping[Key, str | None]) -> None:
    """Save the channels of these handoffs, which this transaction has locked."""
    if channels:
        rows = [{**key._asdict(), "channel": it} for key, it in channels.items()]
        session.execute(_SAVE_CHANNELS, {"channels": encode(rows).decode()})


def facts_of(row: Iterable[Any]) -> HandoffFacts:
    """The facts of a row that has their columns."""
    return HandoffFacts._make(row)


def keys_as_rows(keys: Collection[Key]) -> TableValuedAlias:
    """These keys as a table."""
    parameters = _parameters(keys)
    arrays = (
        cast(cast(parameters["lead_ids"], Text), ARRAY(SqlUuid)),
        cast(cast(parameters["qualifications"], Text), ARRAY(Integer)),
    )
    return func.unnest(*arrays).table_valued(*Key._fields, name="rows").render_derived()


def _parameters(keys: Collection[Key]) -> dict[str, str]:
    return {
        "lead_ids": array_text(it.lead_id for it in keys),
        "qualifications": array_text(it.qualification for it in keys),
    }


def _saved(session: Session, statement: Any, facts: Sequence[Struct]) -> dict[Key, Any]:
    if not facts:
        return {}
    return _instants(session.execute(statement, {"facts": encode(facts).decode()}).all())


def _instants(rows: Iterable[Any]) -> dict[Key, Any]:
    return {Key(lead_id, qualification): at for lead_id, qualification, at in rows}


def _upsert(facts: type[Struct], stand_ins: Collection[str] = ()) -> Insert:
    """Add or replace these facts in the order of their keys, if they differ; stand-ins until the lead is announced."""
    names = facts.__struct_fields__
    columns = [column(it, handoffs.c[it].type) for it in names]
    announced = func.json_to_recordset(cast(cast(bindparam("facts"), Text), JSON))
    rows = announced.table_valued(*columns, name="facts").render_derived(with_types=True)
    statement = insert(handoffs).from_select(
        list(names), select(*rows.c).order_by(*(rows.c[it] for it in Key._fields))
    )
    added, stored = statement.excluded, handoffs.c
    kept: dict[str, ColumnElement[Any]] = {
        it: case((stored.is_announced, stored[it]), else_=added[it])
        if it in stand_ins
        else added[it]
        for it in names
        if it not in Key._fields
    }
    return statement.on_conflict_do_update(
        index_elements=Key._fields,
        set_=kept,
        where=tuple_(*(stored[it] for it in kept)).is_distinct_from(tuple_(*kept.values())),
    )


_STAND_INS = frozenset(Progress.__struct_fields__) & frozenset(Qualification.__struct_fields__)
_SAVE_QUALIFICATIONS = _upsert(Qualification).returning(*_WITH_INSTANT)
_SAVED = _upsert(Progress, _STAND_INS).returning(*_WITH_INSTANT, handoffs.c.is_announced).cte()
_SAVE_PROGRESS = select(*(_SAVED.c[it.name] for it in _WITH_INSTANT)).where(~_SAVED.c.is_announced)
