"""Business hours of teams in a form in which the database computes open times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import accumulate
from operator import sub
from typing import NamedTuple

from shared.calendar import CompiledCalendar


class Span(NamedTuple):
    """From when until when the hours of a team must be known, by a version of the agreement."""

    version: int
    team: str
    since: datetime
    until: datetime


class Opening(NamedTuple):
    """When a team is open, by a version of the agreement, in seconds: each interval by its start after `base`.

    `closed_s` is the closed time from the base to the start, `open_s` the open time from the base to the end. So of an
    instant t after the base, the last start before it being the i-th, the open time is min(t - closed_s[i], open_s[i]).
    """

    version: int
    team: str
    base: datetime
    starts_s: tuple[float, ...]
    closed_s: tuple[float, ...]
    open_s: tuple[float, ...]


def joined(spans: Iterable[Span]) -> list[Span]:
    """One span for each version and team, which holds all of its spans."""
    whole: dict[tuple[int, str], Span] = {}
    for span in spans:
        before = whole.setdefault((span.version, span.team), span)
        whole[span.version, span.team] = span._replace(
            since=min(before.since, span.since), until=max(before.until, span.until)
        )
    return list(whole.values())


def openings(
    spans: Iterable[Span], calendars: Mapping[int, Mapping[str, CompiledCalendar]]
) -> list[Opening]:
    """The openings of each team that has a calendar in its version."""
    return [
        _opening(span, calendar)
        for span in spans
        if (calendar := calendars.get(span.version, {}).get(span.team)) is not None
    ]


def _opening(span: Span, calendar: CompiledCalendar) -> Opening:
    intervals = calendar.open_intervals(span.since, span.until)
    starts_s = tuple((start - span.since).total_seconds() for start, _ in intervals)
    open_s = tuple(accumulate((end - start).total_seconds() for start, end in intervals))
    closed_s = tuple(map(sub, starts_s, (0.0, *open_s)))
    return Opening(span.version, span.team, span.since, starts_s, closed_s, open_s)
