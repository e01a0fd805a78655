"""What is counted a day, for reports to read: each entry of DAY_COUNTS fills a table."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Select, Table, delete, insert
from sqlalchemy.orm import Session

from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.domain.promised_dates import DAY, midnight
from services.alignment.queries.clocks import counted_clocks
from services.alignment.queries.known import counted_known
from services.alignment.queries.open_hours import hours_of
from services.alignment.queries.outcomes import counted_outcomes
from services.alignment.queries.scopes import Scope
from services.alignment.queries.tallies import counted_tallies
from services.alignment.queries.times import counted_times
from services.alignment.queries.values import counted_values
from services.alignment.tables import (
    daily_attainment,
    daily_leads,
    daily_outcomes,
    daily_tallies,
    daily_times,
    daily_values,
)
from shared.agreement.store import Policies


class DayCount(NamedTuple):
    """A table with the column `counted_on`, and what is selected for it of DAY, with the names of its columns."""

    table: Table
    counted: Select[*tuple[Any, ...]]


DAY_COUNTS = (
    DayCount(daily_tallies, counted_tallies()),
    DayCount(daily_leads, counted_known()),
    DayCount(daily_times, counted_times()),
    DayCount(daily_values, counted_values()),
    DayCount(daily_attainment, counted_clocks()),
    DayCount(daily_outcomes, counted_outcomes()),
)


def count_day(session: Session, day: date, policies: Policies[AlignmentPolicy]) -> None:
    """Replace all that is stored of the day by what is counted now; `policies` have the business hours."""
    since = midnight(day)
    hours = hours_of(session, policies, [Scope(since, since + DAY).itself])
    for table, counted in DAY_COUNTS:
        session.execute(delete(table).where(table.c.counted_on == day))
        names = counted.selected_columns.keys()
        session.execute(insert(table).from_select(names, counted.params(day=day, hours=hours)))
