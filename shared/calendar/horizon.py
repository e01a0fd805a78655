"""Open intervals of real time, from hours by the wall clock and the offsets of a time zone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from shared.agreement.model.calendar import Span
from shared.calendar.hours import DAY, Hours

MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_PROBE = 3 * 3600
_SECOND = 1_000_000


def number_of(at: datetime) -> int:
    """The instant as a number of microseconds since 1970."""
    return (at - _EPOCH) // MICROSECOND


def instant_of(number: int) -> datetime:
    """The instant so many microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=number)


@dataclass(frozen=True, slots=True)
class Horizon:
    """Open intervals in microseconds since 1970, in order and without overlaps.

    `sums[i]` is the open time before the i-th interval.
    """

    since: int
    until: int
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    sums: tuple[int, ...]

    def open_before(self, instant: int) -> int:
        """The open time from the horizon's start to the instant."""
        last_started = bisect_right(self.starts, instant) - 1
        if last_started < 0:
            return 0
        end = min(instant, self.ends[last_started])
        return self.sums[last_started] + end - self.starts[last_started]


def horizon_of(hours: Hours, since: datetime, until: datetime) -> Horizon:
    """The open intervals between two instants, which lie on whole seconds."""
    first, last = number_of(since) // _SECOND, number_of(until) // _SECOND
    spans = _spans(hours, first, last, _open_in)
    starts = tuple(start * _SECOND for start, _ in spans)
    ends = tuple(end * _SECOND for _, end in spans)
    lengths = (end - start for start, end in zip(starts, ends, strict=True))
    return Horizon(
        first * _SECOND, last * _SECOND, starts, ends, tuple(accumulate(lengths, initial=0))
    )


def breaks_between(
    hours: Hours, since: datetime, until: datetime
) -> list[tuple[datetime, datetime]]:
    """The spans of real time between two instants in which breaks close windows, in order."""
    first, last = number_of(since), number_of(until)
    spans = _spans(hours, first // _SECOND, -(-last // _SECOND), _interrupted_in)
    return [
        (instant_of(max(start * _SECOND, first)), instant_of(min(end * _SECOND, last)))
        for start, end in spans
    ]


@dataclass(frozen=True, slots=True)
class _Segment:
    """A span of real time in which the zone keeps one offset from UTC; all in seconds."""

    start: int
    end: int
    offset: int


def _segments(zone: ZoneInfo, first: int, last: int) -> Iterator[_Segment]:
    """The segments between the zone's transitions, such as those of daylight saving time."""
    start = first
    for probe in range(first, last, _PROBE):
        until = min(probe + _PROBE, last)
        if _utc_offset(zone, until) != _utc_offset(zone, probe):
            transition = _transition(zone, probe, until)
            yield _Segment(start, transition, _utc_offset(zone, probe))
            start = transition
    yield _Segment(start, last, _utc_offset(zone, start))


def _transition(zone: ZoneInfo, low: int, high: int) -> int:
    """The first second whose offset is that of `high`."""
    before = _utc_offset(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _utc_offset(zone, middle) == before else (low, middle)
    return high


def _utc_offset(zone: ZoneInfo, second: int) -> int:
    local = datetime.fromtimestamp(second, zone)
    return round((local.utcoffset() or timedelta(0)).total_seconds())


def _spans(
    hours: Hours, first: int, last: int, in_segment: Callable[[_Segment, Hours], list[Span]]
) -> list[Span]:
    """The spans of real time, in seconds, that are found by the wall clock of each segment between two instants."""
    return _merged(
        sorted(
            (start - segment.offset, end - segment.offset)
            for segment in _segments(hours.zone, first, last)
            for start, end in in_segment(segment, hours)
        )
    )


def _open_in(segment: _Segment, hours: Hours) -> list[Span]:
    """The spans of a segment in which the wall clock is inside a window of some date, and in no break."""
    return _without(_on_the_wall(segment, hours.windows), _on_the_wall(segment, hours.breaks))


def _interrupted_in(segment: _Segment, hours: Hours) -> list[Span]:
    """The spans of a segment in which the wall clock is inside a window of some date, and in a break."""
    return _without(_on_the_wall(segment, hours.windows), _open_in(segment, hours))


def _on_the_wall(segment: _Segment, spans_of: Callable[[date], tuple[Span, ...]]) -> list[Span]:
    """The spans of all dates, in seconds of the wall clock since 1970, as far as the segment has them."""
    first, last = segment.start + segment.offset, segment.end + segment.offset
    return _merged(
        sorted(
            (max(number * DAY + opens, first), min(number * DAY + closes, last))
            for number in range(first // DAY - 1, last // DAY + 1)
            for opens, closes in spans_of(date.fromordinal(number + _EPOCH_DAY))
            if number * DAY + opens < last and number * DAY + closes > first
        )
    )


def _without(spans: list[Span], gaps: list[Span]) -> list[Span]:
    """The parts of the spans that no gap covers; both are in order and without overlaps."""
    if not gaps:
        return spans
    rest: list[Span] = []
    ends = [end for _, end in gaps]
    for start, end in spans:
        rest_start = start
        for gap_start, gap_end in gaps[bisect_right(ends, start) :]:
            if gap_start >= end:
                break
            if rest_start < gap_start:
                rest.append((rest_start, gap_start))
            rest_start = gap_end
        if rest_start < end:
            rest.append((rest_start, end))
    return rest


def _merged(spans: list[Span]) -> list[Span]:
    """The spans, which are sorted; those that touch or overlap become one."""
    merged: list[Span] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged
