"""The sums that reports read: added to by each transaction, and merged later."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    Text,
    any_,
    cast,
    func,
    select,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.alignment.domain.tallies import (
    CATEGORY,
    MEASURES,
    Category,
    Tally,
    TallySums,
    category_id,
)
from services.alignment.queries.selection import GroupBy, Selection
from services.alignment.tables import categories, tallies, tally_changes
from shared.db.copying import copy_rows
from shared.db.locks import AdvisoryLock
from shared.db.time_range import TimeRange

_Condition = Callable[[Any], ColumnElement[bool]]
"""A condition on the columns of tallies, or of their changes."""
COLUMNS = (*Tally._fields, *MEASURES)

_MERGE = text(f"""
    with merged as (
        delete from alignment.tally_changes
        where id in (select id from alignment.tally_changes order by id limit :limit)
        returning *
    ), added as (
        insert into alignment.tallies as tally ({", ".join(COLUMNS)})
        select {", ".join(Tally._fields)}, {", ".join(f"sum({it})" for it in MEASURES)}
        from merged
        group by {", ".join(Tally._fields)}
        on conflict (field, qualified_on, name, agreement_version, currency, policy)
        do update set {", ".join(f"{it} = tally.{it} + excluded.{it}" for it in MEASURES)}
    )
    select count(*) from merged
""")  # noqa: S608 - the names of columns


def add_categories(session: Session, new: Collection[Category]) -> None:
    """Add the categories that are not stored yet, in the order of their ids."""
    rows = sorted({category_id(it): it for it in new}.items())
    if rows:
        session.execute(
            insert(categories).on_conflict_do_nothing(),
            [{"id": id, **category._asdict()} for id, category in rows],
        )


def add_changes(session: Session, changes: Mapping[Tally, Sequence[int]]) -> None:
    """Add these changes of sums. No row is locked, so that no two transactions wait for each other."""
    if changes:
        rows = ((*tally, *sums) for tally, sums in changes.items())
        copy_rows(session, tally_changes, COLUMNS, rows)


def merge_changes(session: Session, *, limit: int) -> int:
    """Merge the oldest changes into the tallies, at most `limit`; how many. 0 while another transaction does so."""
    is_locked = session.scalar(select(func.pg_try_advisory_xact_lock(AdvisoryLock.TALLIES)))
    return session.execute(_MERGE, {"limit": limit}).scalar_one() if is_locked else 0


def tallies_on(session: Session, day: date) -> dict[Tally, list[int]]:
    """The sums of the handoffs that qualified on the date."""
    source = _rows([lambda columns: columns.qualified_on == day])
    keys = [source.c[it] for it in Tally._fields]
    sums = [func.sum(source.c[it]).label(it) for it in MEASURES]
    rows = session.execute(select(*keys, *sums).group_by(*keys)).mappings()
    return {
        Tally(**{it: row[it] for it in Tally._fields}): [int(row[it]) for it in MEASURES]
        for row in rows
    }


def sums_by(session: Session, selection: Selection, group_by: GroupBy) -> list[TallySums]:
    """The sums of each group of what `is_tallied` allows."""
    by_category = selection.filters.keys() - {group_by} or selection.categories is not None
    if not by_category:
        name = selection.filters.get(group_by)
        source = _rows(_conditions(selection, group_by.value, name))
        return _sums(session, select(), source, source.c.name)
    source = _rows(_conditions(selection, CATEGORY, None))
    category = categories.c
    statement = (
        select()
        .select_from(source.join(categories, category.id == source.c.name))
        .where(*(category[it.value] == value for it, value in selection.filters.items()))
    )
    if selection.categories is not None:
        ids = cast(list(selection.categories), ARRAY(Text))
        statement = statement.where(category.id == any_(ids))
    return _sums(session, statement, source, category[group_by.value])


def categories_in(session: Session, times: TimeRange, *, limit: int) -> dict[str, Category]:
    """The categories, by their ids, of handoffs that qualified on these dates, at most `limit`."""
    source = _rows(_conditions(Selection(times), CATEGORY, None))
    ids = select(source.c.name).distinct()
    statement = select(categories).where(categories.c.id.in_(ids)).limit(limit)
    return {
        row["id"]: Category(**{it: row[it] for it in Category._fields})
        for row in session.execute(statement).mappings()
    }


def is_tallied(selection: Selection, group_by: GroupBy) -> bool:
    """Whether tallies have the sums: those of whole dates, and of a rep without regard to anything else."""
    is_of_reps = group_by is GroupBy.REP or GroupBy.REP in selection.filters
    others = selection.filters.keys() - {GroupBy.REP}
    is_rep_alone = group_by is GroupBy.REP and not others and selection.categories is None
    return all(map(_is_midnight, selection.times)) and (is_rep_alone or not is_of_reps)


def _is_midnight(instant: datetime | None) -> bool:
    return instant is None or instant.astimezone(UTC).time() == time()


def _conditions(selection: Selection, field: str, name: str | None) -> list[_Condition]:
    since, until = (None if it is None else it.astimezone(UTC).date() for it in selection.times)
    conditions: list[_Condition] = [lambda columns: columns.field == field]
    if since is not None:
        conditions.append(lambda columns: columns.qualified_on >= since)
    if until is not None:
        conditions.append(lambda columns: columns.qualified_on < until)
    if name is not None:
        conditions.append(lambda columns: columns.name == name)
    return conditions


def _rows(conditions: Sequence[_Condition]) -> Subquery:
    """The tallies, and what is not merged into them yet."""
    return union_all(
        *(
            select(*(table.c[it] for it in COLUMNS)).where(*(it(table.c) for it in conditions))
            for table in (tallies, tally_changes)
        )
    ).subquery()


def _sums(
    session: Session, statement: Select[Any], source: Subquery, group: ColumnElement[str]
) -> list[TallySums]:
    keys = [group, source.c.agreement_version, source.c.currency]
    statement = statement.add_columns(
        func.nullif(group, "").label("group"),
        source.c.agreement_version,
        source.c.currency,
        *(cast(func.sum(source.c[it]), BigInteger).label(it) for it in MEASURES),
    ).group_by(*keys)
    return [TallySums(**row) for row in session.execute(statement).mappings()]
