"""Engagement: points for what a lead does, which halve with age, stored as sums.

An event of age `a` gives `points * 2 ** (-a / half_life)`. A signal with a `daily_max` has a bucket for each UTC day of
event time, any other signal has a single bucket. A bucket holds the undecayed sum and the sum decayed to its latest
event. Both are sums over a set, so that order, batches and merges do not change them. Days whose points have faded are
dropped, so that a lead's state grows with the half-life and not with its history. A signal that never decays and has a
`daily_max` is the exception: its state grows with the days on which the lead was active.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from math import exp2, fsum, inf, log2
from typing import NamedTuple

from services.scoring.domain.score import Part, Score, bounded, clamped
from shared.agreement.model import Scoring, Signal

Bucket = tuple[float, float, float]
"""Undecayed points; points decayed to the latest event; the latest event in seconds since 1970."""

Buckets = Mapping[str, Bucket]
"""A signal's buckets by day since 1970, or its only bucket under `SINGLE_BUCKET`."""

Signals = Mapping[str, Buckets]
"""The buckets of each signal that ever counted, by the signal's id."""

SignalPoints = Sequence[tuple[str, str | None, float]]
"""Each signal's id, its group, and the points that it gives within its bound."""

SINGLE_BUCKET = "*"
DAY_S = 86_400
NEGLIGIBLE_HALF_LIVES = 60
"""After so many half-lives a day's points are below 1e-15 of their sum, and the day is dropped."""

FAR_AHEAD_S = 3650.0 * DAY_S
PRECISE_S = 1.0


class Weight(NamedTuple):
    """A signal with what counting it needs. A tuple, because it is read for each event."""

    id: str
    points: float
    halvings_per_s: float
    """0 if the points never fade."""
    daily_max: float | None
    max: float | None
    group: str | None

    @classmethod
    def of(cls, signal: Signal) -> Weight:
        """The weight of this signal of the agreement."""
        half_life = signal.half_life
        per_s = 0.0 if half_life is None else 1 / half_life.total_seconds()
        return cls(signal.id, signal.points, per_s, signal.daily_max, signal.max, signal.group)


class Weights:
    """The weights of all signals, and the bounds of all groups, in one agreement."""

    def __init__(self, scoring: Scoring) -> None:
        self.signals = {signal.id: Weight.of(signal) for signal in scoring.signals}
        self.labels = {signal.id: signal.label or signal.id for signal in scoring.signals}
        self.groups = {name: group.max for name, group in scoring.groups.items()}
        """The bound of each group."""


def count(buckets: dict[str, Bucket], signal: Weight, time_s: float) -> None:
    """Add the points of an event of this signal; `time_s` is its time in seconds since 1970."""
    name = SINGLE_BUCKET if signal.daily_max is None else _day(time_s // DAY_S)
    _add_points(buckets, name, (signal.points, signal.points, time_s), signal.halvings_per_s)


def merge_buckets(first: Buckets, second: Buckets, signal: Weight) -> dict[str, Bucket]:
    """The buckets of a signal over the events of both leads."""
    result = dict(first)
    for name, bucket in second.items():
        _add_points(result, name, bucket, signal.halvings_per_s)
    return result


def without_negligible(buckets: Buckets, signal: Weight, now: datetime) -> Buckets:
    """The buckets without days that ended more than NEGLIGIBLE_HALF_LIVES half-lives ago.

    The end of the day decides, not its latest event: another event of the same day would share the day's bound.
    """
    if signal.halvings_per_s == 0 or len(buckets) < 2:
        return buckets
    oldest = now.timestamp() - NEGLIGIBLE_HALF_LIVES / signal.halvings_per_s
    if min([bucket[2] for bucket in buckets.values()]) >= oldest:
        return buckets
    return {name: it for name, it in buckets.items() if (int(name) + 1) * DAY_S >= oldest}


def engagement(signals: Signals, weights: Weights, now: datetime) -> Score:
    """The points of every signal at `now`, bounded by signal, by group and in total."""
    signal_points = _signal_points(signals, weights, now.timestamp())
    gives = {id_: points for id_, _, points in signal_points}
    parts = [Part(it, weights.labels[it], gives[it]) for it in weights.signals if it in gives]
    reductions = [
        Part(f"group:{name}", f"at most {weights.groups[name]:g} for {name}", points)
        for name, points in _reductions(signal_points, weights)
    ]
    return bounded([*parts, *reductions], rule="engagement_bounds")


def worth(signals: Signals, weights: Weights, now: datetime) -> float:
    """The value of `engagement` without its parts, which are most of the work."""
    return _worth(signals, weights, now.timestamp())


def falls_below(
    line: float, signals: Signals, weights: Weights, *, now: datetime
) -> datetime | None:
    """When decay alone takes engagement below the line, to the second; None if that takes more than ten years.

    Engagement only falls unless there are negative points that decay. With these the result is one of several
    crossings, and the review at that instant judges the lead again.
    """
    at = now.timestamp()

    def excess(seconds: float) -> float:
        return _worth(signals, weights, at + seconds) - line

    per_s = [weights.signals[it].halvings_per_s for it in signals if it in weights.signals]
    slowest = min(filter(None, per_s), default=inf)
    above = excess(0.0)
    below_s = log2(1 + above / line) / slowest if line > 0 < above else 0.0
    below_s = max(below_s, 3600.0)
    while excess(below_s) >= 0:
        below_s *= 2
        if below_s > FAR_AHEAD_S:
            return None
    return now + timedelta(seconds=_crossing(excess, below_s))


def _crossing(excess: Callable[[float], float], below_s: float) -> float:
    """The seconds at which `excess` is below 0, at most PRECISE_S after it was not.

    It is found by the Illinois method, which needs a third of the evaluations of bisection. Every third step is a
    bisection, which guarantees an end.
    """
    above_s = 0.0
    above, below, last = excess(above_s), excess(below_s), 0
    turns = 0
    while (width := below_s - above_s) > PRECISE_S:
        turns += 1
        part = 0.5 if turns % 3 == 0 or above <= 0 else above / (above - below)
        guess_s = above_s + min(max(part * width, PRECISE_S / 2), width - PRECISE_S / 2)
        value = excess(guess_s)
        if value >= 0:
            above_s, above, below, last = guess_s, value, below / (2 if last > 0 else 1), 1
        else:
            below_s, below, above, last = guess_s, value, above / (2 if last < 0 else 1), -1
    return below_s


def _add_points(buckets: dict[str, Bucket], name: str, more: Bucket, halvings_per_s: float) -> None:
    """Add a bucket to the one of this name: the sums over the events of both."""
    more_raw, more_weight, at = more
    raw, weight, latest = buckets.get(name, (0.0, 0.0, at))
    decay = exp2(-abs(at - latest) * halvings_per_s)
    if at > latest:
        buckets[name] = (raw + more_raw, weight * decay + more_weight, at)
    else:
        buckets[name] = (raw + more_raw, weight + more_weight * decay, latest)


@lru_cache(maxsize=1_000)
def _day(number: float) -> str:
    """The name of a day's bucket: the number of days since 1970."""
    return str(int(number))


def _worth(signals: Signals, weights: Weights, at: float) -> float:
    signal_points = _signal_points(signals, weights, at)
    points = [points for _, _, points in signal_points]
    points += [points for _, points in _reductions(signal_points, weights)]
    return min(max(fsum(points), 0.0), 100.0)


def _signal_points(signals: Signals, weights: Weights, at: float) -> SignalPoints:
    """The points of each signal over all its days; a day above the daily bound counts for a part of its points.

    This is one loop without calls, because it runs for every lead of every batch.
    """
    signal_points = []
    for id_, buckets in signals.items():
        if id_ not in weights.signals:
            continue
        _, _, per_s, limit, bound, group = weights.signals[id_]
        total = 0.0
        for raw, weight, latest in buckets.values():
            points = weight * exp2((latest - at) * per_s)
            total += (
                points if limit is None or -limit <= raw <= limit else points * limit / abs(raw)
            )
        signal_points.append((id_, group, total if bound is None else clamped(total, bound)))
    return signal_points


def _reductions(signal_points: SignalPoints, weights: Weights) -> list[tuple[str, float]]:
    """The points that each group's bound takes away; groups within their bound are absent."""
    totals: dict[str, float] = {}
    for _, group, points in signal_points:
        if group is not None:
            totals[group] = totals.get(group, 0.0) + points
    bounds = weights.groups
    reductions = [(it, clamped(total, bounds[it]) - total) for it, total in totals.items()]
    return [(name, points) for name, points in reductions if points]
