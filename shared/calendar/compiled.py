"""A calendar, ready for questions: bisection over its open intervals."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

from shared.agreement.model import Calendar
from shared.calendar.horizon import MICROSECOND, Horizon, horizon_of, instant_of, number_of
from shared.calendar.hours import Hours, InvalidCalendar
from shared.documents.limits import KEPT

_FAR = timedelta(days=20 * 366)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A date on which hours did not count because of a public holiday."""

    on: date
    name: str


def compiled(calendar: Calendar) -> CompiledCalendar:
    """The calendar, ready for questions; kept, so that each is worked out once a process."""
    return _compiled(calendar.model_dump_json())


@cache
def _compiled(source: str) -> CompiledCalendar:
    return CompiledCalendar(Calendar.model_validate_json(source, context=KEPT))


class CompiledCalendar:
    """A calendar over a horizon that grows when a question lies outside it.

    Edges lie on whole seconds; the instants asked about may lie between them and count exactly.
    Raises InvalidCalendar when the calendar cannot be, or does not open within twenty years.
    """

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self._hours = Hours(calendar)
        self._horizon = Horizon(0, 0, (), (), (0,))

    def is_open(self, at: datetime) -> bool:
        """Whether work is done at this instant."""
        instant = number_of(at)
        horizon = self._around(instant)
        found = bisect_right(horizon.starts, instant) - 1
        return found >= 0 and instant < horizon.ends[found]

    def next_open(self, at: datetime) -> datetime:
        """This instant if it is open, else the start of the next hours."""
        instant = number_of(at)
        horizon = self._around(instant)
        while (found := bisect_right(horizon.ends, instant)) == len(horizon.ends):
            horizon = self._further(horizon, instant)
        return at if horizon.starts[found] <= instant else instant_of(horizon.starts[found])

    def add(self, at: datetime, open_time: timedelta) -> datetime:
        """The earliest instant at which so much open time has passed since `at`, but within twenty years."""
        if open_time <= timedelta(0):
            return at
        instant = number_of(at)
        horizon = self._around(instant)
        wanted = open_time // MICROSECOND
        while (reached := horizon.open_before(instant) + wanted) > horizon.sums[-1]:
            if horizon.ends[-1:] > (number_of(at + _FAR),):
                return at + _FAR
            horizon = self._further(horizon, instant)
        found = bisect_left(horizon.sums, reached) - 1
        return min(instant_of(horizon.starts[found] + reached - horizon.sums[found]), at + _FAR)

    def elapsed(self, since: datetime, until: datetime) -> timedelta:
        """The open time between two instants; zero when they are the wrong way round."""
        first, last = number_of(since), number_of(until)
        if last <= first:
            return timedelta(0)
        horizon = self._around(first, last)
        return timedelta(microseconds=horizon.open_before(last) - horizon.open_before(first))

    def counted(self, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
        """The open intervals between two instants, in order: what `elapsed` adds up."""
        first, last = number_of(since), number_of(until)
        horizon = self._around(first, last)
        spans = zip(horizon.starts, horizon.ends, strict=True)
        return [
            (instant_of(max(start, first)), instant_of(min(end, last)))
            for start, end in spans
            if start < last and end > first
        ]

    def local_date(self, at: datetime) -> date:
        """The date that the calendar's wall shows at this instant."""
        return at.astimezone(self._hours.zone).date()

    def skipped(self, since: datetime, until: datetime) -> list[Skipped]:
        """The public holidays between two instants that closed hours there would have been."""
        first, last = self.local_date(since), self.local_date(until)
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        names = ((day, self._hours.closed_by(day)) for day in days)
        return [Skipped(day, name) for day, name in names if name is not None]

    def _around(self, first: int, last: int | None = None) -> Horizon:
        """A horizon that holds both instants, with room on both sides."""
        horizon = self._horizon
        last = first if last is None else last
        if horizon.since <= first and last < horizon.until:
            return horizon
        since, until = _new_year(first, -1), _new_year(last, 2)
        if horizon.since < horizon.until:
            since = min(since, instant_of(horizon.since))
            until = max(until, instant_of(horizon.until))
        return self._keep(since, until)

    def _further(self, horizon: Horizon, instant: int) -> Horizon:
        """The horizon with its length beyond the instant doubled."""
        end, at = instant_of(horizon.until), instant_of(instant)
        last_open = max((instant, *horizon.ends[-1:]))
        if end - instant_of(last_open) > _FAR:
            raise InvalidCalendar(
                f"calendar {self.calendar.id!r} does not open within twenty years of {at:%Y-%m-%d}:"
                " give a weekday hours"
            )
        return self._keep(instant_of(horizon.since), end + (end - at))

    def _keep(self, since: datetime, until: datetime) -> Horizon:
        self._horizon = horizon_of(self._hours, since, until)
        return self._horizon


def _new_year(number: int, years: int) -> datetime:
    return datetime(instant_of(number).year + years, 1, 1, tzinfo=UTC)
