"""From hours by the wall clock to intervals of real time: daylight saving needs no rule of its own."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from shared.calendar.hours import DAY, Hours, Span

MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_PROBE = 3 * 3600
_SECOND = 1_000_000


def number_of(at: datetime) -> int:
    """The instant as microseconds since 1970."""
    return (at - _EPOCH) // MICROSECOND


def instant_of(number: int) -> datetime:
    """The instant so many microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=number)


@dataclass(frozen=True, slots=True)
class Horizon:
    """Open intervals in microseconds of UTC, sorted and apart; `sums[i]`: open before the i-th."""

    since: int
    until: int
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    sums: tuple[int, ...]

    def open_before(self, instant: int) -> int:
        """How much is open from the horizon's start to the instant."""
        found = bisect_right(self.starts, instant) - 1
        if found < 0:
            return 0
        return self.sums[found] + min(instant, self.ends[found]) - self.starts[found]


def horizon_of(hours: Hours, since: datetime, until: datetime) -> Horizon:
    """What is open between two instants, given on whole seconds."""
    first, last = number_of(since) // _SECOND, number_of(until) // _SECOND
    spans = _merged(
        sorted(
            (max(start, first), min(end, last))
            for segment in _segments(hours.zone, first, last)
            for start, end in _open_in(segment, hours)
        )
    )
    starts = tuple(start * _SECOND for start, _ in spans)
    ends = tuple(end * _SECOND for _, end in spans)
    lengths = (end - start for start, end in zip(starts, ends, strict=True))
    return Horizon(
        first * _SECOND, last * _SECOND, starts, ends, tuple(accumulate(lengths, initial=0))
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


def _open_in(segment: _Segment, hours: Hours) -> Iterator[Span]:
    """The real spans of a segment whose wall clock reads inside a window of some date."""
    first, last = segment.start + segment.ahead, segment.end + segment.ahead
    for number in range(first // DAY - 1, last // DAY + 1):
        for opens, closes in hours.windows(date.fromordinal(number + _EPOCH_DAY)):
            start = max(number * DAY + opens, first)
            end = min(number * DAY + closes, last)
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
