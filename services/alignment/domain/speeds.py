"""Business hours of teams in a form in which the database computes open times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import accumulate
from typing import NamedTuple

from shared.calendar import CompiledCalendar


class Span(NamedTuple):
    """From when until when the hours of a team must be known, by a version of the agreement."""

    version: int
    team: str
    since: datetime
    until: datetime


class Opening(NamedTuple):
    """When a team is open, by a version of the agreement: starts and ends in seconds after `base`.

    `sums[i]` is the open time before the i-th start.
    """

    version: int
    team: str
    base: datetime
    starts: tuple[float, ...]
    ends: tuple[float, ...]
    sums: tuple[float, ...]


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
    starts = tuple((start - span.since).total_seconds() for start, _ in intervals)
    ends = tuple((end - span.since).total_seconds() for _, end in intervals)
    lengths = (end - start for start, end in zip(starts, ends, strict=True))
    sums = tuple(accumulate(lengths, initial=0.0))[: len(starts)]
    return Opening(span.version, span.team, span.since, starts, ends, sums)
