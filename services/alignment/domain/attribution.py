"""Attribution: how much of a won amount each marketing touch is credited with, by several models."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from shared.agreement.model import AttributionModel

MODELS = 1
"""The number of this definition of the models. A change that credits anything else increases it."""
SECOND = timedelta(seconds=1)


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

    @property
    def key(self) -> str:
        """The terms as text, with the number of the models: what is stored with credit that was counted by them."""
        return f"{MODELS} {self.window / SECOND} {self.half_life / SECOND}"


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
        weights = [1] * len(touches)
    elif model is AttributionModel.TIME_DECAY:
        weights = _decayed(touches, terms.half_life)
    else:
        weights = _by_points(win, touches, SHARES[model])
    return divided(win.cents, weights)


def divided(cents: int, weights: Sequence[int]) -> list[int]:
    """The cents in proportion to the weights; what rounding leaves goes to the largest remainders."""
    total = sum(weights)
    exact = [divmod(cents * weight, total) for weight in weights]
    parts = [part for part, _ in exact]
    by_remainder = sorted(range(len(exact)), key=lambda index: (-exact[index][1], index))
    for index in by_remainder[: cents - sum(parts)]:
        parts[index] += 1
    return parts


def _decayed(touches: Sequence[Touch], half_life: timedelta) -> list[int]:
    """`2^(-age / half_life)`, with ages from the last touch so that it is never lost to rounding.

    The weights are in proportion to these numbers exactly: each is a fraction whose denominator is a power of 2.
    """
    last_at = touches[-1].at
    ratios = [(2.0 ** -((last_at - it.at) / half_life)).as_integer_ratio() for it in touches]
    scale = max(denominator for _, denominator in ratios)
    return [numerator * (scale // denominator) for numerator, denominator in ratios]


def _by_points(win: Win, touches: Sequence[Touch], shares: Shares) -> list[int]:
    """The share of each touch. A share that no touch is left for goes to all of them in proportion."""
    points = (
        (shares.first, 0),
        (shares.known, _last_until(touches, win.known_at)),
        (shares.qualified, _last_until(touches, win.qualified_at)),
        (shares.won, len(touches) - 1),
    )
    weights = [0] * len(touches)
    for share, index in points:
        if index is not None:
            weights[index] += share
    others = weights.count(0) or 1
    return [weight * others or shares.rest for weight in weights]


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


class CreditBy(StrEnum):
    """What the groups of touches are."""

    CAMPAIGN = "campaign"
    CHANNEL = "channel"


NAMES: Mapping[CreditBy, Callable[[Touch], str | None]] = {
    CreditBy.CAMPAIGN: lambda touch: touch.campaign or None,
    CreditBy.CHANNEL: lambda touch: touch.channel or None,
}
"""The name of a touch's group; None: it has none."""


class Group(NamedTuple):
    """Wins in one currency: those credited to touches of one campaign or channel, or those without any touch."""

    currency: str
    is_touched: bool
    name: str | None


@dataclass(slots=True)
class Credits:
    """What a group is credited with by each model, in cents, and of how many wins that is a part."""

    cents: Counter[AttributionModel] = field(default_factory=Counter)
    wins: Counter[AttributionModel] = field(default_factory=Counter)

    def add(self, model: AttributionModel, cents: int, wins: int) -> None:
        """Add the credit of so many wins."""
        self.cents[model] += cents
        self.wins[model] += wins


CreditSums = dict[CreditBy, defaultdict[Group, Credits]]


def no_credit(by: Iterable[CreditBy] = CreditBy) -> CreditSums:
    """Sums to add credit to: of campaigns, of channels, or of both."""
    return {it: defaultdict(Credits) for it in by}


def add_credit(sums: CreditSums, win: Win, terms: Terms) -> None:
    """Add the credit of a win to its groups. By every model it sums to the win's amount."""
    touches = counted_touches(win, terms.window)
    groups = {by: _groups(win, touches, NAMES[by]) for by in sums}
    for model in AttributionModel:
        parts = credits_of(win, touches, model, terms) if touches else [win.cents]
        for by, credit in sums.items():
            cents = dict.fromkeys(groups[by], 0)
            for group, part in zip(groups[by], parts, strict=True):
                cents[group] += part
            for group, part in cents.items():
                credit[group].add(model, part, bool(part))


def _groups(
    win: Win, touches: Sequence[Touch], name_of: Callable[[Touch], str | None]
) -> list[Group]:
    """The group of each touch, or that of a win without any."""
    if not touches:
        return [Group(win.currency, is_touched=False, name=None)]
    return [Group(win.currency, is_touched=True, name=name_of(it)) for it in touches]


def together(groups: Mapping[Group, Credits], others: Iterable[Group]) -> dict[Group, Credits]:
    """The credit of these groups as one of each currency, which has no name."""
    sums = defaultdict[Group, Credits](Credits)
    for group in others:
        for model, cents in groups[group].cents.items():
            sums[group._replace(name=None)].add(model, cents, groups[group].wins[model])
    return dict(sums)
