"""The working time of a promise from its start on, in which pauses do not count."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.calendar.changing import WorkingHours
from shared.calendar.pauses import Pause


class RunningTime(NamedTuple):
    """Working time from `started_at` on, without the pauses, which are in order and do not overlap."""

    calendar: WorkingHours
    started_at: datetime
    pauses: Sequence[Pause] = ()

    def end(self, length: timedelta, *, roll_to_next_open: bool = False) -> datetime:
        """The earliest instant at which so much time has run. A pause from the end on changes nothing.

        With `roll_to_next_open` an end that falls on closing time moves to the next opening.
        """
        left, since = length, self.started_at
        for pause in self.pauses:
            end = self._end(since, left, roll=roll_to_next_open)
            if end <= pause.since:
                return end
            if pause.until > since:
                left -= self.calendar.elapsed(since, pause.since)
                since = pause.until
        return self._end(since, left, roll=roll_to_next_open)

    def before(self, end: datetime) -> RunningTime:
        """The same time with only those pauses that begin before this end, and are not over at the start."""
        pauses = [it for it in self.pauses if it.since < end and it.until > self.started_at]
        return self._replace(pauses=pauses)

    def spent(self, until: datetime) -> timedelta:
        """How much time has run by this instant."""
        paused = (self.paused(it, until) for it in self.pauses)
        return self.calendar.elapsed(self.started_at, until) - sum(paused, timedelta(0))

    @property
    def paused_for(self) -> timedelta:
        """The working time that all pauses take out."""
        return sum((self.paused(it, it.until) for it in self.pauses), timedelta(0))

    def paused(self, pause: Pause, until: datetime) -> timedelta:
        """The working time that the pause takes out by this instant."""
        return self.calendar.elapsed(max(pause.since, self.started_at), min(pause.until, until))

    def intervals(self, until: datetime) -> list[tuple[datetime, datetime]]:
        """The intervals that count by this instant, in order; `spent` is their sum."""
        intervals: list[tuple[datetime, datetime]] = []
        since = self.started_at
        for pause in self.pauses:
            intervals += self.calendar.open_intervals(since, min(pause.since, until))
            since = max(since, pause.until)
        return intervals + self.calendar.open_intervals(since, until)

    def _end(self, since: datetime, left: timedelta, *, roll: bool) -> datetime:
        end = self.calendar.add(since, left)
        return self.calendar.next_open(end) if roll else end
