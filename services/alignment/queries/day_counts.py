"""What is counted a day, for reports to read: each entry of DAY_COUNTS fills a table."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Select, Table, delete, insert
from sqlalchemy.orm import Session

from services.alignment.queries.known import counted_known
from services.alignment.queries.tallies import counted_tallies
from services.alignment.tables import daily_leads, daily_tallies


class DayCount(NamedTuple):
    """A table with the column `counted_on`, and what is selected for it of DAY, with the names of its columns."""

    table: Table
    counted: Select[Any]


DAY_COUNTS = (
    DayCount(daily_tallies, counted_tallies()),
    DayCount(daily_leads, counted_known()),
)


def count_day(session: Session, day: date) -> None:
    """Replace all that is stored of the day by what is counted now."""
    for table, counted in DAY_COUNTS:
        session.execute(delete(table).where(table.c.counted_on == day))
        names = counted.selected_columns.keys()
        session.execute(insert(table).from_select(names, counted.params(day=day)))
