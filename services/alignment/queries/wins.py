"""Wins with the touches of their leads, among which their amounts are divided."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    FromClause,
    Row,
    Select,
    and_,
    case,
    func,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from services.alignment.domain.attribution import Win
from services.alignment.domain.facts import Key
from services.alignment.domain.progress import Outcome
from services.alignment.queries.days import day_of
from services.alignment.queries.touches import touches_of
from services.alignment.tables import handoffs, touches
from shared.db.time_range import TimeRange

handoff = handoffs.c
T = TypeVar("T")

BATCH = 500
"""So many wins are read at once."""
IS_WON = handoff.outcome == Outcome.WON.value
IS_KNOWN = and_(handoff.amount_cents.is_not(None), handoff.currency.is_not(None))
OF_WIN: tuple[ColumnElement[Any], ...] = (
    handoff.closed_at,
    handoff.qualified_at,
    touches.c.known_at,
    handoff.currency,
    case((IS_KNOWN, handoff.amount_cents)).label("amount_cents"),
    func.coalesce(touches.c.touches, func.jsonb_build_array()).label("touches"),
)
"""What `win_of` needs of a row."""


def with_touches(source: FromClause) -> FromClause:
    """Handoffs with what is kept of their touches, if anything is."""
    is_of_handoff = and_(
        touches.c.lead_id == handoff.lead_id, touches.c.qualification == handoff.qualification
    )
    return source.outerjoin(touches, is_of_handoff)


def win_of(row: Row[*tuple[Any, ...]]) -> Win:
    """The win of a row that has an amount."""
    return Win(
        row.closed_at,
        row.qualified_at,
        row.known_at,
        row.currency,
        row.amount_cents,
        touches_of(row.touches),
    )


def find_win(row: Row[Any]) -> Win | None:
    """The win of a row, or None where it is worth an unknown amount."""
    return None if row.amount_cents is None else win_of(row)


def read_in_batches(
    session: Session,
    statement: Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]],
    value_of: Callable[[Row[Any]], T],
) -> Generator[T]:
    """The value of each row, BATCH of which are read at once, so that their touches are never held together.

    Who may not read all of them closes it.
    """
    with session.execute(statement, execution_options={"yield_per": BATCH}) as result:
        yield from map(value_of, result)


class Position(NamedTuple):
    """Where a win stands in the list of wins, whose order is that of these values."""

    won_at: datetime
    lead_id: UUID
    qualification: int


class WonHandoff(NamedTuple):
    """A handoff that was won, and what is credited for it."""

    key: Key
    handoff_id: UUID | None
    campaign: str | None
    rep: str | None
    win: Win

    @property
    def position(self) -> Position:
        """Where it stands in the list."""
        return Position(self.win.won_at, *self.key)


def won_handoffs(
    session: Session,
    times: TimeRange,
    *,
    days: CompoundSelect[date] | None = None,
    currency: str | None = None,
    after: Position | None = None,
    limit: int,
) -> Generator[WonHandoff]:
    """Wins of this time whose amounts are known, on these days, the latest first, at most `limit`."""
    order = (handoff.closed_at, handoff.lead_id, handoff.qualification)
    narrowed = [
        *([] if days is None else [day_of(handoff.closed_at).in_(days)]),
        *([] if currency is None else [handoff.currency == currency]),
        *([] if after is None else [handoff.closed_at <= after.won_at, tuple_(*order) < after]),
    ]
    statement = (
        select(
            handoff.lead_id,
            handoff.qualification,
            handoff.handoff_id,
            handoff.campaign,
            handoff.rep,
            *OF_WIN,
        )
        .select_from(with_touches(handoffs))
        .where(IS_WON, *times.conditions(handoff.closed_at))
        .where(IS_KNOWN, *narrowed)
        .order_by(*(it.desc() for it in order))
        .limit(limit)
    )
    with closing(read_in_batches(session, statement, _won_handoff)) as wins:
        yield from wins


def _won_handoff(row: Row[Any]) -> WonHandoff:
    key = Key(row.lead_id, row.qualification)
    return WonHandoff(key, row.handoff_id, row.campaign, row.rep, win_of(row))
