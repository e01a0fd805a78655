"""Query parameters of the lists of clocks: which clocks a list has, and which page of it is answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from services.sla_monitor.api.filters import SourceFilters
from services.sla_monitor.domain.clocks import State
from services.sla_monitor.queries.lists import BreachCause, ClockFilter
from services.sla_monitor.queries.walks import Slice
from shared.auth.keys import Caller
from shared.db.time_range import TimeRange
from shared.http.csv_tables import MAX_CSV_ROWS
from shared.http.pages import After, Cursor, Limit
from shared.http.parameters import (
    FIRST,
    LAST,
    SINCE,
    UNTIL,
    Day,
    EmptyRange,
    Since,
    Until,
    time_range,
)

DAY = timedelta(days=1)
ACKNOWLEDGED = "`true`: only breaches that ops have acknowledged; `false`: only others."


class ListParameters(SourceFilters):
    """Which clocks the list has, and which page of it is answered."""

    since: Since | None = Field(
        default=None, description=f"Started (clocks) or due (other lists) {SINCE}"
    )
    until: Until | None = Field(
        default=None, description=f"Started (clocks) or due (other lists) {UNTIL}"
    )
    limit: Limit = 100
    after: After = None

    cursor: ClassVar = Cursor("at-risk", tuple[AwareDatetime, UUID])

    def within(self, caller: Caller, *, acknowledged: bool | None = None) -> ClockFilter:
        """The filter of these parameters, within what the caller may see; raises EmptyRange."""
        times = time_range(self.since, self.until)
        return self.clock_filter(caller, times=times, acknowledged=acknowledged)

    def slice(self, *, as_csv: bool) -> Slice:
        """The page and one clock more, which shows whether another page follows; raises BadCursor."""
        after = None if self.after is None else self.cursor.decode(self.after)
        return Slice(after, (MAX_CSV_ROWS if as_csv else self.limit) + 1)


class UpcomingListParameters(ListParameters):
    """Which clocks the list has."""

    cursor: ClassVar = Cursor("upcoming", tuple[AwareDatetime, UUID])


class BreachListParameters(ListParameters):
    """Which breaches the list has."""

    state: Literal["open", "all"] = Field(
        default="open", description="`open`: not answered yet; `all`: answered too late as well."
    )
    acknowledged: bool | None = Field(default=None, description=ACKNOWLEDGED)
    cause: BreachCause | None = Field(
        default=None,
        description="With `state=all`: only those answered `late`, not answered yet (`overdue`), or `cancelled` after "
        "they were due: as attainment counts them.",
    )
    first_due_on: Day | None = Field(
        default=None, description="Only those due on this date or later, in their calendars."
    )
    last_due_on: Day | None = Field(
        default=None, description="Only those due on this date or before."
    )

    cursor: ClassVar = Cursor("breaches", tuple[AwareDatetime, UUID])

    def breaches(self, caller: Caller) -> ClockFilter:
        """The filter of these parameters, within what the caller may see; raises EmptyRange.

        Instants bound the list where it is about dates: a date of a calendar lies within a day of that of UTC.
        """
        within = self.within(caller, acknowledged=self.acknowledged)
        within = replace(within, cause=self.cause)
        if self.first_due_on is None and self.last_due_on is None:
            return within
        first, last = self.first_due_on or FIRST.date(), self.last_due_on or LAST.date()
        if first > last:
            raise EmptyRange("`first_due_on` must not lie after `last_due_on`")
        earliest, latest = midnight_of(first) - DAY, midnight_of(last) + 2 * DAY
        since, until = within.times
        times = TimeRange(since or earliest, until or latest)
        return replace(within, due_on=(first, last), times=times)


class ClockListParameters(ListParameters):
    """Which clocks the list has, and in which state."""

    state: State | None = Field(default=None, description="Only clocks in this state.")
    reported_late: bool | None = Field(
        default=None,
        description="`true`: only clocks that were met and whose answer was reported later than `sla.report_within`; "
        "`false`: only others.",
    )
    acknowledged: bool | None = Field(default=None, description=ACKNOWLEDGED)
    handoff: UUID | None = Field(
        default=None, description="Only clocks of the handoff with this id."
    )

    cursor: ClassVar = Cursor("clocks", tuple[AwareDatetime, UUID])


def midnight_of(day: date) -> datetime:
    """The beginning of the date in UTC."""
    return datetime.combine(day, time(), UTC)
