"""What campaigns and channels are credited with: counted by the day of the win, and of stale days the wins themselves.

A day is stale if it is marked, or was counted by other terms. A report is one statement, which sees one snapshot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    BigInteger,
    Boolean,
    ColumnElement,
    CompoundSelect,
    Date,
    DateTime,
    Integer,
    Numeric,
    Row,
    Select,
    Text,
    cast,
    column,
    func,
    null,
    select,
    union,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from services.alignment.domain.attribution import (
    CreditBy,
    Credits,
    Group,
    Terms,
    Win,
    add_credit,
    no_credit,
)
from services.alignment.domain.credits import MAX_UNCOUNTED, not_counted
from services.alignment.queries.days import dates_in, midnight, next_midnight
from services.alignment.queries.wins import (
    IS_KNOWN,
    IS_WON,
    OF_WIN,
    find_win,
    read_in_batches,
    with_touches,
)
from services.alignment.tables import credit_days, daily_credits, handoffs, stale_credits
from shared.agreement.model import AttributionModel
from shared.db.time_range import TimeRange

credit, counted, handoff = daily_credits.c, credit_days.c, handoffs.c

SUMS = [f"{model}_{it}" for it in ("cents", "wins") for model in AttributionModel]
"""The columns of sums."""
_COLUMNS: Mapping[str, TypeEngine[Any]] = {
    "won": Integer(),
    "unknown": Integer(),
    "is_touched": Boolean(),
    "name": Text(),
    "currency": Text(),
    **{it: Numeric(30, 0) for it in SUMS},
    "closed_at": DateTime(timezone=True),
    "qualified_at": DateTime(timezone=True),
    "known_at": DateTime(timezone=True),
    "amount_cents": BigInteger(),
    "touches": JSONB(),
}
"""What the rows of a report have: the numbers of a day, the credit of a group, or a win that is not counted."""


@dataclass(frozen=True, slots=True)
class CreditedWins:
    """How many leads were won, how many of them for an unknown amount, and who is credited with the others."""

    won: int
    unknown: int
    groups: Mapping[Group, Credits]


def credits_in(session: Session, times: TimeRange, by: CreditBy, terms: Terms) -> CreditedWins:
    """The credit of the wins in these times, which begin and end at midnight; raises NotCounted."""
    stale = stale_days_by(terms)
    parts = (_days(stale, times), _credit(stale, times, by), _wins(stale, times))
    sums, won, unknown, wins = no_credit([by]), 0, 0, 0
    with closing(read_in_batches(session, union_all(*parts), _row_of)) as rows:
        for row in rows:
            won += row.won
            unknown += row.unknown
            wins += row.is_win
            if wins > MAX_UNCOUNTED:
                raise not_counted()
            if row.win is not None:
                add_credit(sums, row.win, terms)
            for model, cents, of_wins in row.credit:
                sums[by][row.group].add(model, cents, of_wins)
    return CreditedWins(won, unknown, sums[by])


class _Row(NamedTuple):
    """The numbers of a day, the credit of a group, or a win that is not counted."""

    won: int
    unknown: int
    group: Group
    credit: Sequence[tuple[AttributionModel, int, int]] = ()
    is_win: bool = False
    win: Win | None = None
    """None also where its amount is unknown."""


def _row_of(row: Row[Any]) -> _Row:
    group = Group(row.currency, row.is_touched, row.name or None)
    if row.is_touched is not None:
        parts = [
            (it, int(getattr(row, f"{it}_cents")), int(getattr(row, f"{it}_wins")))
            for it in AttributionModel
        ]
        return _Row(0, 0, group, parts)
    is_win = row.closed_at is not None
    return _Row(row.won, row.unknown, group, (), is_win, find_win(row) if is_win else None)


def stale_days_by(terms: Terms) -> CTE:
    """The days of wins that are not counted by these terms, or have changed, in the column `day`.

    They come out of an array, as those of STALE_DAYS and for the same reason.
    """
    others = select(counted.counted_on).where(counted.terms != terms.key)
    stale = union(select(stale_credits.c.day), others).scalar_subquery()
    days = func.unnest(func.array(stale)).table_valued(column("day", Date), name="days")
    return select(days.render_derived().c.day).cte("stale")


def days_of_credit(
    by: CreditBy, name: str, model: AttributionModel, terms: Terms
) -> CompoundSelect[date]:
    """The days of wins of which a group of this name, or of none, may be credited with a part; the stale ones too."""
    stale = select(stale_days_by(terms).c.day)
    counted_days = select(credit.counted_on).where(
        credit.field == by.value, credit.name == name, credit[f"{model}_wins"] > 0
    )
    return union(stale, counted_days)


def _days(stale: CTE, times: TimeRange) -> Select[*tuple[Any, ...]]:
    return select(*_part(won=counted.won, unknown=counted.unknown)).where(
        counted.counted_on.not_in(select(stale.c.day)), *dates_in(times, counted.counted_on)
    )


def _credit(stale: CTE, times: TimeRange, by: CreditBy) -> Select[*tuple[Any, ...]]:
    keys = {it: credit[it] for it in ("is_touched", "name", "currency")}
    return (
        select(*_part(**keys, **{it: func.sum(credit[it]) for it in SUMS}))
        .where(credit.counted_on.not_in(select(stale.c.day)), *dates_in(times, credit.counted_on))
        .where(credit.field == by.value)
        .group_by(*keys.values())
    )


def _wins(stale: CTE, times: TimeRange) -> Select[*tuple[Any, ...]]:
    """The wins of stale days, one more than are divided."""
    day = stale.c.day
    is_of_day = (handoff.closed_at >= midnight(day)) & (handoff.closed_at < next_midnight(day))
    of_win = {it.name: it for it in OF_WIN}
    numbers = {"won": cast(1, Integer), "unknown": cast(~IS_KNOWN, Integer)}
    wins = (
        select(*_part(**numbers, **of_win))
        .select_from(with_touches(stale.join(handoffs, is_of_day)))
        .where(IS_WON, *dates_in(times, day))
        .limit(MAX_UNCOUNTED + 1)
        .subquery()
    )
    return select(*wins.c)


def _part(**columns: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """These of the columns of a row; the others are null."""
    return [columns.get(it, cast(null(), type_)).label(it) for it, type_ in _COLUMNS.items()]
