"""What a lead does: points that halve with age, kept as sums that do not grow with the lead's history.

An event of age `a` gives `points * 2 ** (-a / half_life)`. Of a signal with a `daily_max` there is one bucket a UTC day
of event time, of any other a single one. A bucket holds the undecayed sum, and the sum decayed to its latest event:
sums over a set, so that neither order nor batching nor joins change them. Days that weigh nothing any more are dropped:
what is kept grows with the half-life, not with the lead's history (of a signal that never decays and has a `daily_max`
it grows with the days on which the lead was active).
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
"""A signal's buckets by day since 1970, or the one under `WHOLE`."""

Signals = Mapping[str, Buckets]
"""The buckets of each signal that ever counted, by the signal's id."""

SignalPoints = Sequence[tuple[str, str | None, float]]
"""What each signal gives within its bound, with its group."""

WHOLE = "*"
DAY_S = 86_400
NEGLIGIBLE_HALF_LIVES = 60
"""A day whose points have halved so often weighs less than 1e-15 of them, and is dropped."""

FAR_AHEAD_S = 3650.0 * DAY_S
PRECISE_S = 1.0


class Weight(NamedTuple):
    """A signal as it is counted. A tuple, for it is asked for each event, and more often."""

    id: str
    points: float
    halvings_per_s: float
    """0 if its points never fade."""
    daily_max: float | None
    max: float | None
    group: str | None

    @classmethod
    def of(cls, signal: Signal) -> Weight:
        """As the agreement says."""
        half_life = signal.half_life
        per_s = 0.0 if half_life is None else 1 / half_life.total_seconds()
        return cls(signal.id, signal.points, per_s, signal.daily_max, signal.max, signal.group)


class Weights:
    """What everything weighs under one agreement."""

    def __init__(self, scoring: Scoring) -> None:
        self.signals = {signal.id: Weight.of(signal) for signal in scoring.signals}
        self.labels = {signal.id: signal.label or signal.id for signal in scoring.signals}
        self.groups = {name: group.max for name, group in scoring.groups.items()}
        """The bound of each."""


def count(buckets: dict[str, Bucket], signal: Weight, at: float) -> None:
    """Add the points of an event of this signal."""
    name = WHOLE if signal.daily_max is None else _day(at // DAY_S)
    _pour(buckets, name, (signal.points, signal.points, at), signal.halvings_per_s)


def merge_buckets(first: Buckets, second: Buckets, signal: Weight) -> dict[str, Bucket]:
    """Both leads' buckets of a signal, as if all events had been one lead's."""
    result = dict(first)
    for name, bucket in second.items():
        _pour(result, name, bucket, signal.halvings_per_s)
    return result


def without_negligible(buckets: Buckets, signal: Weight, now: datetime) -> Buckets:
    """The buckets of days of which an event could still weigh something: what bounds a lead's state.

    Not those whose own events do: a later event of the same day shares the day's bound with them.
    """
    if signal.halvings_per_s == 0 or len(buckets) < 2:
        return buckets
    oldest = now.timestamp() - NEGLIGIBLE_HALF_LIVES / signal.halvings_per_s
    if min([bucket[2] for bucket in buckets.values()]) >= oldest:
        return buckets
    return {name: it for name, it in buckets.items() if (int(name) + 1) * DAY_S >= oldest}


def engagement(signals: Signals, weights: Weights, now: datetime) -> Score:
    """The points of every signal at `now`, bounded by signal, by group and as a whole."""
    signal_points = _signal_points(signals, weights, now.timestamp())
    gives = {id_: points for id_, _, points in signal_points}
    parts = [Part(it, weights.labels[it], gives[it]) for it in weights.signals if it in gives]
    reductions = [
        Part(f"group:{name}", f"at most {weights.groups[name]:g} for {name}", points)
        for name, points in _reductions(signal_points, weights)
    ]
    return bounded([*parts, *reductions], rule="engagement_bounds")


def worth(signals: Signals, weights: Weights, now: datetime) -> float:
    """The value of `engagement` without its explanation, which is most of the work."""
    return _worth(signals, weights, now.timestamp())


def falls_below(
    line: float, signals: Signals, weights: Weights, *, now: datetime
) -> datetime | None:
    """When decay alone takes engagement below the line, to the second; None if it does not within ten years.

    Engagement only falls unless there are negative points that decay; then this is one such instant, and the
    review that happens there decides.
    """
    at = now.timestamp()

    def over(seconds: float) -> float:
        return _worth(signals, weights, at + seconds) - line

    per_s = [weights.signals[it].halvings_per_s for it in signals if it in weights.signals]
    slowest = min(filter(None, per_s), default=inf)
    above = over(0.0)
    below_s = log2(1 + above / line) / slowest if line > 0 < above else 0.0
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
        excess = over(guess_s)
        if excess >= 0:
            above_s, above, below, last = guess_s, excess, below / (2 if last > 0 else 1), 1
        else:
            below_s, below, above, last = guess_s, excess, above / (2 if last < 0 else 1), -1
    return below_s


def _pour(buckets: dict[str, Bucket], name: str, more: Bucket, halvings_per_s: float) -> None:
    """Add to a bucket: the sum over the union of both's events."""
    more_raw, more_weight, at = more
    raw, weight, latest = buckets.get(name, (0.0, 0.0, at))
    left = exp2(-abs(at - latest) * halvings_per_s)
    if at > latest:
        buckets[name] = (raw + more_raw, weight * left + more_weight, at)
    else:
        buckets[name] = (raw + more_raw, weight + more_weight * left, latest)


@lru_cache(maxsize=1_000)
def _day(number: float) -> str:
    """A day's bucket: the days since 1970."""
    return str(int(number))


def _worth(signals: Signals, weights: Weights, at: float) -> float:
    signal_points = _signal_points(signals, weights, at)
    points = [points for _, _, points in signal_points]
    points += [points for _, points in _reductions(signal_points, weights)]
    return min(max(fsum(points), 0.0), 100.0)


def _signal_points(signals: Signals, weights: Weights, at: float) -> SignalPoints:
    """What each signal gives: all its days; one with more points than it may give counts for a part of them.

    One loop without calls: it is gone through for every lead of every batch.
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
    """What each group's bound takes away, where it takes something."""
    totals: dict[str, float] = {}
    for _, group, points in signal_points:
        if group is not None:
            totals[group] = totals.get(group, 0.0) + points
    bounds = weights.groups
    reductions = [(it, clamped(total, bounds[it]) - total) for it, total in totals.items()]
    return [(name, points) for name, points in reductions if points]
