"""Working hours as arithmetic: what is open, when it opens, when so much open time has passed."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import accumulate
from typing import ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from holidays import country_holidays

from shared.agreement.model import Calendar, Weekday
from shared.errors import Rejected

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_DAY = 86_400
_PROBE = 3 * 3600
_FAR = timedelta(days=20 * 366)

Span = tuple[int, int]
"""A half-open interval of whole seconds."""


class InvalidCalendar(Rejected):
    """The calendar names no real zone, holidays or hours, or is never open."""

    code: ClassVar[str] = "invalid_calendar"


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
    return CompiledCalendar(Calendar.model_validate_json(source))


class CompiledCalendar:
    """A calendar over a horizon that grows when a question lies outside it.

    Edges lie on whole seconds; the instants asked about may lie between them and count exactly.
    Raises InvalidCalendar when the calendar cannot be, or does not open within twenty years.
    """

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self._rules = _Rules(calendar)
        self._horizon = _Horizon(0, 0, (), (), (0,))

    def is_open(self, at: datetime) -> bool:
        """Whether work is done at this instant."""
        instant = _number(at)
        horizon = self._around(instant)
        found = bisect_right(horizon.starts, instant) - 1
        return found >= 0 and instant < horizon.ends[found]

    def next_open(self, at: datetime) -> datetime:
        """This instant if it is open, else the start of the next hours."""
        instant = _number(at)
        horizon = self._around(instant)
        while (found := bisect_right(horizon.ends, instant)) == len(horizon.ends):
            horizon = self._further(horizon, instant)
        return at if horizon.starts[found] <= instant else _instant(horizon.starts[found])

    def add(self, at: datetime, open_time: timedelta) -> datetime:
        """The earliest instant at which so much open time has passed since `at`."""
        if open_time <= timedelta(0):
            return at
        instant = _number(at)
        horizon = self._around(instant)
        wanted = open_time // _MICROSECOND
        while (reached := horizon.open_before(instant) + wanted) > horizon.sums[-1]:
            horizon = self._further(horizon, instant)
        found = bisect_left(horizon.sums, reached) - 1
        return _instant(horizon.starts[found] + reached - horizon.sums[found])

    def elapsed(self, since: datetime, until: datetime) -> timedelta:
        """The open time between two instants; zero when they are the wrong way round."""
        first, last = _number(since), _number(until)
        if last <= first:
            return timedelta(0)
        horizon = self._around(first, last)
        return timedelta(microseconds=horizon.open_before(last) - horizon.open_before(first))

    def counted(self, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
        """The open intervals between two instants, in order: what `elapsed` adds up."""
        first, last = _number(since), _number(until)
        horizon = self._around(first, last)
        spans = zip(horizon.starts, horizon.ends, strict=True)
        return [
            (_instant(max(start, first)), _instant(min(end, last)))
            for start, end in spans
            if start < last and end > first
        ]

    def local_date(self, at: datetime) -> date:
        """The date that the calendar's wall shows at this instant."""
        return at.astimezone(self._rules.zone).date()

    def skipped(self, since: datetime, until: datetime) -> list[Skipped]:
        """The public holidays between two instants that closed hours there would have been."""
        first, last = self.local_date(since), self.local_date(until)
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        names = ((day, self._rules.closed_by(day)) for day in days)
        return [Skipped(day, name) for day, name in names if name is not None]

    def _around(self, first: int, last: int | None = None) -> _Horizon:
        """A horizon that holds both instants, with room on both sides."""
        horizon = self._horizon
        last = first if last is None else last
        if horizon.since <= first and last < horizon.until:
            return horizon
        since, until = _new_year(first, -1), _new_year(last, 2)
        if horizon.since < horizon.until:
            since = min(since, _instant(horizon.since))
            until = max(until, _instant(horizon.until))
        return self._keep(since, until)

    def _further(self, horizon: _Horizon, instant: int) -> _Horizon:
        """The horizon with its length beyond the instant doubled."""
        end, at = _instant(horizon.until), _instant(instant)
        last_open = max((instant, *horizon.ends[-1:]))
        if end - _instant(last_open) > _FAR:
            raise InvalidCalendar(
                f"calendar {self.calendar.id!r} does not open within twenty years of {at:%Y-%m-%d}:"
                " give a weekday hours"
            )
        return self._keep(_instant(horizon.since), end + (end - at))

    def _keep(self, since: datetime, until: datetime) -> _Horizon:
        self._horizon = _horizon(self._rules, since, until)
        return self._horizon


@dataclass(frozen=True, slots=True)
class _Horizon:
    """Open intervals in microseconds of UTC, sorted and apart; `sums[i]`: open before the i-th."""

    since: int
    until: int
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    sums: tuple[int, ...]

    def open_before(self, instant: int) -> int:
        found = bisect_right(self.starts, instant) - 1
        if found < 0:
            return 0
        return self.sums[found] + min(instant, self.ends[found]) - self.starts[found]


def _horizon(rules: _Rules, since: datetime, until: datetime) -> _Horizon:
    first, last = _number(since) // 1_000_000, _number(until) // 1_000_000
    spans = _merged(
        sorted(
            (max(start, first), min(end, last))
            for segment in _segments(rules.zone, first, last)
            for start, end in _open_in(segment, rules)
        )
    )
    starts = tuple(start * 1_000_000 for start, _ in spans)
    ends = tuple(end * 1_000_000 for _, end in spans)
    lengths = (end - start for start, end in zip(starts, ends, strict=True))
    return _Horizon(
        first * 1_000_000, last * 1_000_000, starts, ends, tuple(accumulate(lengths, initial=0))
    )


@dataclass(frozen=True, slots=True)
class _Segment:
    """A stretch of real time in which the zone's clocks are so many seconds ahead of UTC."""

    start: int
    end: int
    ahead: int


def _segments(zone: ZoneInfo, first: int, last: int) -> Iterator[_Segment]:
    """The stretches between the zone's transitions: daylight saving needs no other rule."""
    start = first
    for probe in range(first, last, _PROBE):
        until = min(probe + _PROBE, last)
        if _ahead(zone, until) != _ahead(zone, probe):
            turn = _turn(zone, probe, until)
            yield _Segment(start, turn, _ahead(zone, probe))
            start = turn
    yield _Segment(start, last, _ahead(zone, start))


def _turn(zone: ZoneInfo, low: int, high: int) -> int:
    """The first second whose offset is that of `high`."""
    before = _ahead(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _ahead(zone, middle) == before else (low, middle)
    return high


def _ahead(zone: ZoneInfo, second: int) -> int:
    local = datetime.fromtimestamp(second, zone)
    return round((local.utcoffset() or timedelta(0)).total_seconds())


def _open_in(segment: _Segment, rules: _Rules) -> Iterator[Span]:
    """The real spans of a segment whose wall clock reads inside a window of some date."""
    first, last = segment.start + segment.ahead, segment.end + segment.ahead
    for number in range(first // _DAY - 1, last // _DAY + 1):
        for opens, closes in rules.windows(date.fromordinal(number + _EPOCH_DAY)):
            start = max(number * _DAY + opens, first)
            end = min(number * _DAY + closes, last)
            if start < end:
                yield start - segment.ahead, end - segment.ahead


def _merged(spans: list[Span]) -> list[Span]:
    """Sorted spans with those that touch or overlap made one."""
    whole: list[Span] = []
    for start, end in spans:
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(whole[-1][1], end))
        else:
            whole.append((start, end))
    return whole


class _Rules:
    """A calendar's hours by local date, in seconds of the wall clock since that date's midnight."""

    def __init__(self, calendar: Calendar) -> None:
        self.zone = _zone(calendar)
        self._weekly = [_spans(calendar.hours.get(day, ())) for day in Weekday]
        self._overrides = {day: _spans(it.windows) for day, it in calendar.overrides.items()}
        self._anyway = {day for day, it in calendar.overrides.items() if it.even_if_holiday}
        self._holidays = _holidays(calendar)
        self._truncates = calendar.holiday_truncates_overnight
        if not any((*self._weekly, *self._overrides.values())):
            raise InvalidCalendar(f"calendar {calendar.id!r} is never open: give a weekday hours")

    def windows(self, day: date) -> tuple[Span, ...]:
        """The date's own windows; one that runs overnight belongs to the date it starts on."""
        if self._holiday(day) is not None:
            return ()
        planned = self._planned(day)
        if self._truncates and self._holiday(day + timedelta(days=1)) is not None:
            return tuple((opens, min(closes, _DAY)) for opens, closes in planned)
        return planned

    def closed_by(self, day: date) -> str | None:
        """The holiday that closed the date's hours, if there would have been any."""
        return self._holiday(day) if self._planned(day) else None

    def _planned(self, day: date) -> tuple[Span, ...]:
        return self._overrides.get(day, self._weekly[day.weekday()])

    def _holiday(self, day: date) -> str | None:
        return None if day in self._anyway else self._holidays.get(day)


def _spans(windows: tuple[str, ...]) -> tuple[Span, ...]:
    return tuple(_span(window) for window in windows)


def _span(window: str) -> Span:
    opens, closes = (_seconds(edge) for edge in window.split("-"))
    if opens >= closes:
        raise InvalidCalendar(
            f"window {window!r} ends before it starts: write a night shift as 22:00-30:00"
        )
    return opens, closes


def _seconds(edge: str) -> int:
    hours, minutes = edge.split(":")
    return int(hours) * 3600 + int(minutes) * 60


def _zone(calendar: Calendar) -> ZoneInfo:
    try:
        return ZoneInfo(calendar.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidCalendar(
            f"calendar {calendar.id!r}: no zone {calendar.zone!r}; write one such as Europe/Berlin"
        ) from None


def _holidays(calendar: Calendar) -> Mapping[date, str]:
    """Public holidays by date; years are worked out when they are first asked for."""
    if calendar.holidays is None:
        return {}
    country, _, subdivision = calendar.holidays.partition("-")
    try:
        return country_holidays(country, subdiv=subdivision or None)
    except NotImplementedError:
        raise InvalidCalendar(
            f"calendar {calendar.id!r}: no holidays for {calendar.holidays!r}; "
            "write a country or a subdivision, such as DE or DE-BE"
        ) from None


def _number(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _instant(number: int) -> datetime:
    return _EPOCH + timedelta(microseconds=number)


def _new_year(number: int, years: int) -> datetime:
    return datetime(_instant(number).year + years, 1, 1, tzinfo=UTC)
