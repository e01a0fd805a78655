"""Counting the credit of the wins of a day, which is computed here: the models are defined once, in Python."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from services.alignment.domain.attribution import (
    CreditBy,
    Credits,
    Group,
    Terms,
    add_credit,
    no_credit,
)
from services.alignment.domain.promised_dates import DAY, midnight
from services.alignment.queries.wins import IS_WON, OF_WIN, find_win, read_in_batches, with_touches
from services.alignment.tables import credit_days, daily_credits, handoffs, stale_credits
from shared.agreement.model import AttributionModel
from shared.db.time_range import TimeRange

handoff, mark, counted = handoffs.c, stale_credits.c, credit_days.c


def find_stale_day(session: Session, terms: Terms) -> date | None:
    """The day that has been marked for longest, else the last one that was counted by other terms, or None."""
    marked = session.scalar(select(mark.day).order_by(mark.id).limit(1))
    others = select(counted.counted_on).where(counted.terms != terms.key)
    return marked or session.scalar(others.order_by(counted.counted_on.desc()).limit(1))


def delete_marks(session: Session, day: date) -> None:
    """Delete the marks of the day that are committed: what is counted afterwards includes their changes."""
    session.execute(delete(stale_credits).where(mark.day == day))


def count_credits(session: Session, day: date, terms: Terms) -> None:
    """Replace what is stored of the wins of the day by what is counted now."""
    for table in (daily_credits, credit_days):
        session.execute(delete(table).where(table.c.counted_on == day))
    since = midnight(day)
    statement = (
        select(*OF_WIN)
        .select_from(with_touches(handoffs))
        .where(IS_WON, *TimeRange(since, since + DAY).conditions(handoff.closed_at))
    )
    sums, won, unknown = no_credit(), 0, 0
    for win in read_in_batches(session, statement, find_win):
        won += 1
        if win is None:
            unknown += 1
        else:
            add_credit(sums, win, terms)
    number = {"counted_on": day, "terms": terms.key, "won": won, "unknown": unknown}
    session.execute(insert(credit_days).values(number))
    rows = [_row(day, by, *it) for by, groups in sums.items() for it in groups.items()]
    if rows:
        session.execute(insert(daily_credits), rows)


def _row(day: date, by: CreditBy, group: Group, sums: Credits) -> dict[str, Any]:
    return {
        "counted_on": day,
        "field": by.value,
        "is_touched": group.is_touched,
        "name": group.name or "",
        "currency": group.currency,
        **{f"{it}_cents": sums.cents[it] for it in AttributionModel},
        **{f"{it}_wins": sums.wins[it] for it in AttributionModel},
    }
