"""Leads that marketing knows: saved as scoring announced them last, counted, and listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    cast,
    func,
    literal,
    select,
    text,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from services.alignment.domain.funnel import KnownCounts
from services.alignment.domain.groups import Group, Groups
from services.alignment.domain.known import FIELDS, FirstStage, KnownLead
from services.alignment.queries.days import DAY, SINCE, UNTIL, dates_in
from services.alignment.queries.selection import is_in
from services.alignment.queries.stale_days import STALE_DAYS, is_counted, of_stale_days
from services.alignment.tables import daily_leads, leads
from shared.db.time_range import TimeRange

BECAME_AT: Mapping[FirstStage, ColumnElement[Any]] = {
    FirstStage.KNOWN: leads.c.known_at,
    FirstStage.ENGAGED: leads.c.engaged_at,
}
_CHANGED = [it for it in KnownLead._fields if it != "lead_id"]
_SAVE = text(f"""
    insert into alignment.leads as stored ({", ".join(KnownLead._fields)})
    select {", ".join(KnownLead._fields)}
    from json_populate_recordset(cast(null as alignment.leads), cast(:leads as json))
    on conflict (lead_id) do update
    set ({", ".join(_CHANGED)}) = ({", ".join(f"excluded.{it}" for it in _CHANGED)})
    where stored.sequence < excluded.sequence
""")  # noqa: S608 - the names of columns


@dataclass(frozen=True, slots=True)
class KnownSelection:
    """Leads by when they became known or engaged, and by where they came from."""

    times: TimeRange
    filters: Mapping[str, str] = field(default_factory=dict)
    """The values of some of FIELDS; an empty one is of leads of which it is not known."""
    groups: Groups | None = None

    def conditions(self, columns: Mapping[str, ColumnElement[Any]]) -> list[ColumnElement[bool]]:
        """The conditions on where leads came from."""
        return [
            *(func.coalesce(columns[it], "") == value for it, value in self.filters.items()),
            *([] if self.groups is None else [is_in(self.groups, columns)]),
        ]


class KnownPosition(NamedTuple):
    """The end of a page: when its last lead became known, or engaged, and which one it is."""

    at: datetime
    lead_id: UUID


def save_known(session: Session, known_leads: Sequence[KnownLead]) -> None:
    """Save these leads, which are in the order of their ids; a lead of a later record stays as it is."""
    if known_leads:
        rows: list[dict[str, Any]] = [it._asdict() for it in known_leads]
        session.execute(_SAVE, {"leads": orjson.dumps(rows).decode()})


def is_any_known(session: Session) -> bool:
    """Whether any lead was announced as known."""
    return session.execute(select(leads.c.lead_id).limit(1)).first() is not None


def known_counts(
    session: Session, selection: KnownSelection, group_by: str | None
) -> list[KnownCounts]:
    """How many leads of each group, or all together, became known and engaged within these times."""
    rows = _counts(selection.times)
    group = literal("") if group_by is None else rows.c[group_by]
    statement = (
        select(
            func.nullif(group, "").label("group"),
            *(cast(func.sum(rows.c[it.value]), BigInteger).label(it.value) for it in FirstStage),
        )
        .where(*selection.conditions(_fields_of(rows.c)))
        .group_by(text("1"))
    )
    return [KnownCounts(**row) for row in session.execute(statement).mappings()]


def known_groups(
    session: Session, times: TimeRange, fields: Sequence[str], *, limit: int
) -> list[Group]:
    """The groups, by these of FIELDS, of leads that became known or engaged within these times, at most `limit`."""
    if not fields:
        return [()]
    rows = _counts(times)
    statement = select(*(rows.c[it] for it in fields)).distinct().limit(limit)
    return [tuple(row) for row in session.execute(statement)]


def known_leads_in(
    session: Session,
    selection: KnownSelection,
    stage: FirstStage,
    *,
    after: KnownPosition | None,
    limit: int,
) -> list[KnownLead]:
    """The leads that reached this stage within these times, the last ones first."""
    order = (BECAME_AT[stage], leads.c.lead_id)
    statement = (
        select(*(leads.c[it] for it in KnownLead._fields))
        .where(*_became(stage, selection.times), *selection.conditions(_fields_of(leads.c)))
        .order_by(*(it.desc() for it in order))
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(tuple_(*order) < tuple_(*after))
    return [KnownLead._make(row) for row in session.execute(statement)]


def _fields_of(columns: Any) -> dict[str, ColumnElement[Any]]:
    return {it: columns[it] for it in FIELDS}


def counted_known() -> Select[Any]:
    """How many leads became known and engaged on DAY, for `daily_leads`."""
    rows = union_all(
        *(
            _of_stage(stage, leads).where(BECAME_AT[stage] >= SINCE, BECAME_AT[stage] < UNTIL)
            for stage in FirstStage
        )
    ).subquery()
    fields = [rows.c[it] for it in FIELDS]
    sums = [func.sum(rows.c[it.value]).label(it.value) for it in FirstStage]
    return select(DAY.label("counted_on"), *fields, *sums).group_by(*fields)


def _counts(times: TimeRange) -> Subquery:
    """What was counted of each day of these times, and of stale days a row for each lead and stage."""
    stale = [
        _of_stage(stage, STALE_DAYS.join(leads, of_stale_days(BECAME_AT[stage]))).where(
            *times.conditions(BECAME_AT[stage])
        )
        for stage in FirstStage
    ]
    counted = select(*(daily_leads.c[it] for it in (*FIELDS, *map(str, FirstStage)))).where(
        *dates_in(times, daily_leads.c.counted_on), is_counted(daily_leads.c.counted_on)
    )
    return union_all(counted, *stale).subquery()


def _of_stage(stage: FirstStage, source: FromClause) -> Select[Any]:
    """A row for each lead that reached the stage."""
    return (
        select(
            *(func.coalesce(leads.c[it], "").label(it) for it in FIELDS),
            *(literal(int(it is stage)).label(it.value) for it in FirstStage),
        )
        .select_from(source)
        .where(leads.c.merged_into.is_(None), BECAME_AT[stage].is_not(None))
    )


def _became(stage: FirstStage, times: TimeRange) -> list[ColumnElement[bool]]:
    at = BECAME_AT[stage]
    return [leads.c.merged_into.is_(None), at.is_not(None), *times.conditions(at)]
