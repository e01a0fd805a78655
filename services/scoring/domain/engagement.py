"""What a lead does: points that halve with age, kept as sums that do not grow with the lead's history.

An event of age `a` gives `points * 2 ** (-a / half_life)`. Of a signal with a `daily_max` there is one bucket a UTC day
of event time, of any other a single one. A bucket holds the undecayed sum, and the sum decayed to its latest event:
sums over a set, so that neither order nor batching nor joins change them. Days that weigh nothing any more are dropped:
what is kept grows with the half-life, not with the lead's history (of a signal that never decays and has a `daily_max`
it grows with the days on which the lead was active).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from math import exp2, fsum

from services.scoring.domain.score import Part, Score, bounded, clamped
from shared.agreement.model import Scoring, Signal

Bucket = tuple[float, float, float]
"""Undecayed points; points decayed to the latest event; the latest event in seconds since 1970."""

Buckets = Mapping[str, Bucket]
"""A signal's buckets by day since 1970, or the one under `WHOLE`."""

Signals = Mapping[str, Buckets]
"""The buckets of each signal that ever counted, by the signal's id."""

WHOLE = "*"
DAY_S = 86_400
NEGLIGIBLE_HALF_LIVES = 60
"""A day whose points have halved so often weighs less than 1e-15 of them, and is dropped."""

FAR_AHEAD = timedelta(days=3650)
PRECISE_S = 1.0


def bucket_name(signal: Signal, at: float) -> str:
    """Where a point of this signal at this instant is kept."""
    return WHOLE if signal.daily_max is None else str(int(at // DAY_S))


def poured(into: Bucket, more: Bucket, signal: Signal) -> Bucket:
    """Two buckets as one: the sum over the union of their events."""
    latest, half_life_s = max(into[2], more[2]), _half_life_s(signal)
    one, other = (_faded(it[1], it[2] - latest, half_life_s) for it in (into, more))
    return (into[0] + more[0], one + other, latest)


def united(one: Buckets, other: Buckets, signal: Signal) -> dict[str, Bucket]:
    """Both leads' buckets of a signal, as if all events had been one lead's."""
    result = dict(one)
    for name, bucket in other.items():
        result[name] = poured(result[name], bucket, signal) if name in result else bucket
    return result


def without_negligible(buckets: Buckets, signal: Signal, now: datetime) -> Buckets:
    """The buckets of days of which an event could still weigh something: what bounds a lead's state.

    Not those whose own events do: a later event of the same day shares the day's bound with them.
    """
    if signal.half_life is None or len(buckets) < 2:
        return buckets
    oldest = now.timestamp() - NEGLIGIBLE_HALF_LIVES * signal.half_life.total_seconds()
    if all(bucket[2] >= oldest for bucket in buckets.values()):
        return buckets
    return {name: it for name, it in buckets.items() if (int(name) + 1) * DAY_S >= oldest}


def engagement(signals: Signals, scoring: Scoring, now: datetime) -> Score:
    """The points of every signal at `now`, bounded by signal, by group and as a whole."""
    given = _given(signals, scoring, now)
    parts = [Part(signal.id, signal.label or signal.id, points) for signal, points in given]
    taken = [
        Part(
            f"group:{group_id}", f"at most {scoring.groups[group_id].max:g} for {group_id}", points
        )
        for group_id, points in _taken(given, scoring)
    ]
    return bounded([*parts, *taken], rule="engagement_bounds")


def worth(signals: Signals, scoring: Scoring, now: datetime) -> float:
    """The value of `engagement` without its explanation, which is most of the work."""
    given = _given(signals, scoring, now)
    points = [points for _, points in given]
    points += [points for _, points in _taken(given, scoring)]
    return min(max(fsum(points), 0.0), 100.0)


def falls_below(
    line: float, signals: Signals, scoring: Scoring, *, now: datetime
) -> datetime | None:
    """When decay alone takes engagement below the line, to the second; None if it does not within ten years.

    Engagement only falls unless there are negative points that decay; then this is one such instant, and the
    review that happens there decides.
    """
    ahead_s = 3600.0
    while worth(signals, scoring, now + timedelta(seconds=ahead_s)) >= line:
        ahead_s *= 2
        if ahead_s > FAR_AHEAD.total_seconds():
            return None
    above_s, below_s = 0.0, ahead_s
    while below_s - above_s > PRECISE_S:
        middle_s = (above_s + below_s) / 2
        at_middle = worth(signals, scoring, now + timedelta(seconds=middle_s))
        above_s, below_s = (middle_s, below_s) if at_middle >= line else (above_s, middle_s)
    return now + timedelta(seconds=below_s)


def _given(signals: Signals, scoring: Scoring, now: datetime) -> list[tuple[Signal, float]]:
    """What each signal gives, within its bound."""
    at = now.timestamp()
    return [
        (signal, _points(signals[signal.id], signal, at))
        for signal in scoring.signals
        if signal.id in signals
    ]


def _taken(given: Sequence[tuple[Signal, float]], scoring: Scoring) -> Iterator[tuple[str, float]]:
    """What each group's bound takes away."""
    for group_id, group in scoring.groups.items():
        total = fsum([points for signal, points in given if signal.group == group_id])
        excess = clamped(total, group.max) - total
        if excess:
            yield group_id, excess


def _points(buckets: Buckets, signal: Signal, at: float) -> float:
    """A day with more points than it may give counts for a part of them."""
    half_life_s, most = _half_life_s(signal), signal.daily_max
    days = []
    for raw, weight, latest in buckets.values():
        points = _faded(weight, latest - at, half_life_s)
        days.append(points if most is None or abs(raw) <= most else points * (most / abs(raw)))
    return clamped(fsum(days), signal.max)


def _faded(points: float, seconds: float, half_life_s: float | None) -> float:
    """The points so many seconds later (a negative number)."""
    return points if half_life_s is None else points * exp2(max(seconds / half_life_s, -1000.0))


def _half_life_s(signal: Signal) -> float | None:
    return None if signal.half_life is None else signal.half_life.total_seconds()
