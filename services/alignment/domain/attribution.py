"""Attribution: how much of a won amount each marketing touch is credited with, by several models."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

from shared.agreement.model import AttributionModel


class Touch(NamedTuple):
    """A marketing touch of a lead that was won."""

    at: datetime
    channel: str
    campaign: str | None


@dataclass(frozen=True, slots=True)
class Win:
    """A won amount in hundredths of its currency, and the touches of its lead in any order."""

    won_at: datetime
    qualified_at: datetime
    known_at: datetime | None
    currency: str
    cents: int
    touches: Sequence[Touch]


@dataclass(frozen=True, slots=True)
class Terms:
    """The touches that count, and how fast their weight halves with their age in the model of time decay."""

    window: timedelta
    half_life: timedelta


@dataclass(frozen=True, slots=True)
class Shares:
    """The shares, in thousandths, of the points of a model, and of all touches that are no point together."""

    first: int = 0
    known: int = 0
    qualified: int = 0
    won: int = 0
    rest: int = 0


SHARES: Mapping[AttributionModel, Shares] = {
    AttributionModel.FIRST: Shares(first=1000),
    AttributionModel.LAST: Shares(won=1000),
    AttributionModel.U_SHAPED: Shares(first=400, known=400, rest=200),
    AttributionModel.W_SHAPED: Shares(first=300, known=300, qualified=300, rest=100),
    AttributionModel.FULL_PATH: Shares(first=225, known=225, qualified=225, won=225, rest=100),
}
"""The models that go by points: the first touch, and the last one before the lead was known, qualified, won."""


def counted_touches(win: Win, window: timedelta) -> list[Touch]:
    """The touches within the window before the win, oldest first."""
    return sorted(
        (it for it in win.touches if win.won_at - window <= it.at <= win.won_at),
        key=lambda it: (it.at, it.channel, it.campaign or ""),
    )


def credits_of(
    win: Win, touches: Sequence[Touch], model: AttributionModel, terms: Terms
) -> list[int]:
    """The cents that each of these touches, of which there is one, is credited with; they sum to the win's amount."""
    if model is AttributionModel.LINEAR:
        weights = [Fraction(1)] * len(touches)
    elif model is AttributionModel.TIME_DECAY:
        weights = _decayed(touches, terms.half_life)
    else:
        weights = _by_points(win, touches, SHARES[model])
    return divided(win.cents, weights)


def divided(cents: int, weights: Sequence[Fraction]) -> list[int]:
    """The cents in proportion to the weights; what rounding leaves goes to the largest remainders."""
    total = sum(weights)
    exact = [cents * weight / total for weight in weights]
    parts = [it.numerator // it.denominator for it in exact]
    by_remainder = sorted(range(len(exact)), key=lambda index: (parts[index] - exact[index], index))
    for index in by_remainder[: cents - sum(parts)]:
        parts[index] += 1
    return parts


def _decayed(touches: Sequence[Touch], half_life: timedelta) -> list[Fraction]:
    """`2^(-age / half_life)`, with ages from the last touch so that it is never lost to rounding."""
    last_at = touches[-1].at
    return [Fraction(2.0 ** -((last_at - it.at) / half_life)) for it in touches]


def _by_points(win: Win, touches: Sequence[Touch], shares: Shares) -> list[Fraction]:
    """The share of each touch. A share that no touch is left for goes to all of them in proportion."""
    points = (
        (shares.first, 0),
        (shares.known, _last_until(touches, win.known_at)),
        (shares.qualified, _last_until(touches, win.qualified_at)),
        (shares.won, len(touches) - 1),
    )
    weights = [Fraction(0)] * len(touches)
    for share, index in points:
        if index is not None:
            weights[index] += share
    rest = [index for index, weight in enumerate(weights) if not weight]
    for index in rest:
        weights[index] = Fraction(shares.rest, len(rest))
    return weights


def _last_until(touches: Sequence[Touch], instant: datetime | None) -> int | None:
    """The position of the last touch up to the instant, or None."""
    before = [index for index, it in enumerate(touches) if instant and it.at <= instant]
    return max(before, default=None)


def credit_of(
    win: Win, model: AttributionModel, terms: Terms, is_of_group: Callable[[Touch | None], bool]
) -> int:
    """The cents of this win that a group is credited with; None stands for a win without a touch in the window."""
    touches = counted_touches(win, terms.window)
    if not touches:
        return win.cents if is_of_group(None) else 0
    credit = zip(touches, credits_of(win, touches, model, terms), strict=True)
    return sum(cents for touch, cents in credit if is_of_group(touch))


class Group(NamedTuple):
    """Wins in one currency: those credited to touches of one campaign or channel, or those without any touch."""

    currency: str
    is_touched: bool
    name: str | None


Credits = Mapping[AttributionModel, int]
"""The cents that a group is credited with by each model."""


def credited(
    wins: Iterable[Win], terms: Terms, name_of: Callable[[Touch], str | None]
) -> dict[Group, Credits]:
    """The credit of each group; `name_of` is the name of a touch's group. By every model they sum to the same."""
    sums: defaultdict[Group, Counter[AttributionModel]] = defaultdict(Counter)
    for win in wins:
        touches = counted_touches(win, terms.window)
        for model in AttributionModel:
            if not touches:
                sums[Group(win.currency, is_touched=False, name=None)][model] += win.cents
                continue
            for touch, cents in zip(touches, credits_of(win, touches, model, terms), strict=True):
                sums[Group(win.currency, is_touched=True, name=name_of(touch))][model] += cents
    return dict(sums)
