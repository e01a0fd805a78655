"""What a lead does: points that halve with age, kept as sums that do not grow with the lead's history.

An event of age `a` gives `points * 2 ** (-a / half_life)`. Of a signal with a `daily_max` there is one bucket a UTC day
of event time, of any other a single one. A bucket holds the undecayed sum, and the sum decayed to its latest event:
sums over a set, so that neither order nor batching nor joins change them. Days that weigh nothing any more are dropped:
what is kept grows with the half-life, not with the lead's history (of a signal that never decays and has a `daily_max`
it grows with the days on which the lead was active).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from math import exp2, fsum, log2

from services.scoring.domain.score import Part, Score, bounded, clamped
from shared.agreement.model import Scoring, Signal

Bucket = tuple[float, float, float]
"""Undecayed points; points decayed to the latest event; the latest event in seconds since 1970."""

Buckets = Mapping[str, Bucket]
"""A signal's buckets by day since 1970, or the one under `WHOLE`."""

Signals = Mapping[str, Buckets]
"""The buckets of each signal that ever counted, by the signal's id."""

Given = Sequence[tuple[Signal, float]]
"""What signals give, each within its bound."""

WHOLE = "*"
DAY_S = 86_400
NEGLIGIBLE_HALF_LIVES = 60
"""A day whose points have halved so often weighs less than 1e-15 of them, and is dropped."""

FAR_AHEAD_S = 3650.0 * DAY_S
PRECISE_S = 1.0
LONG = -1000.0
"""After so many half-lives nothing is left that a float could hold."""


def bucket_name(signal: Signal, at: float) -> str:
    """Where a point of this signal at this instant is kept."""
    return WHOLE if signal.daily_max is None else str(int(at // DAY_S))


def poured(into: Bucket, more: Bucket, signal: Signal) -> Bucket:
    """Two buckets as one: the sum over the union of their events."""
    raw, weight, latest = into
    more_raw, more_weight, at = more
    if at > latest:
        return (raw + more_raw, _faded(weight, latest - at, signal) + more_weight, at)
    faded = _faded(more_weight, at - latest, signal)
    return (raw + more_raw, weight + faded, latest)


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
    if min([bucket[2] for bucket in buckets.values()]) >= oldest:
        return buckets
    return {name: it for name, it in buckets.items() if (int(name) + 1) * DAY_S >= oldest}


def engagement(signals: Signals, scoring: Scoring, now: datetime) -> Score:
    """The points of every signal at `now`, bounded by signal, by group and as a whole."""
    given = _given(signals, scoring, now.timestamp())
    parts = [Part(signal.id, signal.label or signal.id, points) for signal, points in given]
    taken = [
        Part(f"group:{name}", f"at most {scoring.groups[name].max:g} for {name}", points)
        for name, points in _taken(given, scoring)
    ]
    return bounded([*parts, *taken], rule="engagement_bounds")


def worth(signals: Signals, scoring: Scoring, now: datetime) -> float:
    """The value of `engagement` without its explanation, which is most of the work."""
    return _whole(_given(signals, scoring, now.timestamp()), scoring)


def falls_below(
    line: float, signals: Signals, scoring: Scoring, *, now: datetime
) -> datetime | None:
    """When decay alone takes engagement below the line, to the second; None if it does not within ten years.

    Engagement only falls unless there are negative points that decay; then this is one such instant, and the
    review that happens there decides.
    """
    at = now.timestamp()
    sums = [
        (signal, _sum(signals[signal.id], signal, at))
        for signal in scoring.signals
        if signal.id in signals
    ]

    def over(seconds: float) -> float:
        given = [(it, clamped(_faded(sum_, -seconds, it), it.max)) for it, sum_ in sums]
        return _whole(given, scoring) - line

    above, longest_s = over(0.0), max([_half_life_s(it) or 0.0 for it, _ in sums], default=0.0)
    below_s = longest_s * log2(1 + above / line) if line > 0 < above else 0.0
    below_s = max(below_s, 3600.0)
    while over(below_s) >= 0:
        below_s *= 2
        if below_s > FAR_AHEAD_S:
            return None
    return now + timedelta(seconds=_crossing(over, below_s))


def _crossing(over: Callable[[float], float], below_s: float) -> float:
    """Where it is below 0, at most PRECISE_S after it was not: the Illinois method, which asks a third as often as
    halving, and every third time halving, which always ends.
    """
    above_s = 0.0
    above, below, last = over(above_s), over(below_s), 0
    turns = 0
    while (width := below_s - above_s) > PRECISE_S:
        turns += 1
        part = 0.5 if turns % 3 == 0 or above <= 0 else above / (above - below)
        guess_s = above_s + min(max(part * width, PRECISE_S / 2), width - PRECISE_S / 2)
        found = over(guess_s)
        if found >= 0:
            above_s, above, below, last = guess_s, found, below / (2 if last > 0 else 1), 1
        else:
            below_s, below, above, last = guess_s, found, above / (2 if last < 0 else 1), -1
    return below_s


def _given(signals: Signals, scoring: Scoring, at: float) -> Given:
    """What each signal gives, within its bound."""
    return [
        (signal, clamped(_sum(signals[signal.id], signal, at), signal.max))
        for signal in scoring.signals
        if signal.id in signals
    ]


def _whole(given: Given, scoring: Scoring) -> float:
    """All of it, within the bounds of the groups and of the whole."""
    points = [points for _, points in given]
    points += [points for _, points in _taken(given, scoring)]
    return min(max(fsum(points), 0.0), 100.0)


def _taken(given: Given, scoring: Scoring) -> Iterator[tuple[str, float]]:
    """What each group's bound takes away."""
    groups: dict[str, list[float]] = {}
    for signal, points in given:
        if signal.group is not None:
            groups.setdefault(signal.group, []).append(points)
    for name, some in groups.items():
        total = fsum(some)
        excess = clamped(total, scoring.groups[name].max) - total
        if excess:
            yield name, excess


def _sum(buckets: Buckets, signal: Signal, at: float) -> float:
    """All days of a signal; one with more points than it may give counts for a part of them."""
    half_life_s, most = _half_life_s(signal), signal.daily_max
    days = []
    for raw, weight, latest in buckets.values():
        points = weight if half_life_s is None else weight * _part((latest - at) / half_life_s)
        days.append(points if most is None or -most <= raw <= most else points * (most / abs(raw)))
    return fsum(days)


def _faded(points: float, seconds: float, signal: Signal) -> float:
    """The points so many seconds later (a negative number)."""
    half_life_s = _half_life_s(signal)
    return points if half_life_s is None else points * _part(seconds / half_life_s)


def _part(half_lives: float) -> float:
    """What is left after so many half-lives (a negative number)."""
    return exp2(half_lives) if half_lives > LONG else 0.0


def _half_life_s(signal: Signal) -> float | None:
    """How long until half of it is gone; None if it stays."""
    return None if signal.half_life is None else signal.half_life.total_seconds()
