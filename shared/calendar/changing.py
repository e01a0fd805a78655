"""Working hours that change at an instant from one calendar to another, with what a promise asks of either."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from shared.agreement.model import Calendar
from shared.calendar.compiled import CompiledCalendar, Skipped


class WorkingHours(Protocol):
    """The working hours by which the time of a promise counts."""

    @property
    def calendar(self) -> Calendar:
        """The calendar as the agreement has it."""
        ...

    def add(self, at: datetime, open_time: timedelta) -> datetime:
        """The earliest instant at which this much open time has passed since `at`."""
        ...

    def next_open(self, at: datetime) -> datetime:
        """This instant if it is open, else the start of the next open interval."""
        ...

    def elapsed(self, since: datetime, until: datetime) -> timedelta:
        """The open time between two instants; zero if the second is not the later one."""
        ...

    def open_intervals(self, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
        """The open intervals between two instants, in order."""
        ...

    def local_date(self, at: datetime) -> date:
        """The date at this instant in the calendar's time zone."""
        ...

    def skipped_holidays(self, since: datetime, until: datetime) -> list[Skipped]:
        """The holidays between two instants on which it would else have been open."""
        ...

    def skipped_breaks(self, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
        """The breaks between two instants in which it would else have been open, in order."""
        ...


@dataclass(frozen=True, slots=True)
class ChangingHours:
    """The hours of `before` until an instant, and those of `after` from it on, whose zone and name they have."""

    before: WorkingHours
    changes_at: datetime
    after: CompiledCalendar

    @property
    def calendar(self) -> Calendar:
        """The calendar that counts at last."""
        return self.after.calendar

    def add(self, at: datetime, open_time: timedelta) -> datetime:
        """The earliest instant at which this much open time has passed since `at`."""
        if at >= self.changes_at:
            return self.after.add(at, open_time)
        passed = self.before.elapsed(at, self.changes_at)
        if open_time <= passed:
            return self.before.add(at, open_time)
        return self.after.add(self.changes_at, open_time - passed)

    def next_open(self, at: datetime) -> datetime:
        """This instant if it is open, else the start of the next open interval."""
        if at < self.changes_at and (opening := self.before.next_open(at)) < self.changes_at:
            return opening
        return self.after.next_open(max(at, self.changes_at))

    def elapsed(self, since: datetime, until: datetime) -> timedelta:
        """The open time between two instants; zero if the second is not the later one."""
        return self.before.elapsed(since, min(until, self.changes_at)) + self.after.elapsed(
            max(since, self.changes_at), until
        )

    def open_intervals(self, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
        """The open intervals between two instants, in order; `elapsed` is their sum."""
        intervals: list[tuple[datetime, datetime]] = []
        if since < (end := min(until, self.changes_at)):
            intervals += self.before.open_intervals(since, end)
        if (start := max(since, self.changes_at)) < until:
            intervals += self.after.open_intervals(start, until)
        return intervals

    def local_date(self, at: datetime) -> date:
        """The date at this instant in the time zone of the calendar that counts at last."""
        return self.after.local_date(at)

    def skipped_holidays(self, since: datetime, until: datetime) -> list[Skipped]:
        """The holidays between two instants on which it would else have been open, each once."""
        skipped: list[Skipped] = []
        if since < self.changes_at:
            skipped += self.before.skipped_holidays(since, min(until, self.changes_at))
        if until > self.changes_at:
            skipped += self.after.skipped_holidays(max(since, self.changes_at), until)
        return list(dict.fromkeys(skipped))

    def skipped_breaks(self, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
        """The breaks between two instants in which it would else have been open, in order."""
        return [
            *self.before.skipped_breaks(since, min(until, self.changes_at)),
            *self.after.skipped_breaks(max(since, self.changes_at), until),
        ]
