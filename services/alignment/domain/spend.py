"""What campaigns cost: an amount for a campaign and a period, in versions, of which the latest counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from services.alignment.domain.facts import MAX_NAME
from services.alignment.domain.periods import dates_of
from shared.text import one_line

MAX_AMOUNT = 10**12
"""The largest amount of one period, in any currency."""
MAX_VERSION = 10**9


class Amount(NamedTuple):
    """Money in hundredths of a currency."""

    cents: int
    currency: str


class SpendEntry(NamedTuple):
    """What somebody reports that a campaign cost in a period; without an amount its cost is unknown again."""

    campaign: str
    period: str
    amount: Amount | None
    version: int | None = None
    """None: the next one, unless the latest says the same."""


class Spend(NamedTuple):
    """A version of what a campaign cost in a period, with the first and the last date of that."""

    campaign: str
    period: str
    version: int
    first_on: date
    last_on: date
    amount: Amount | None

    def overlaps(self, known: Spend) -> bool:
        """Whether the two have a day in common."""
        return self.first_on <= known.last_on and known.first_on <= self.last_on


class RefusalCause(StrEnum):
    """Why an entry is not kept; it is the field at fault."""

    VERSION = "version"
    PERIOD = "period"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An entry that is not kept, and what to do about it."""

    cause: RefusalCause
    message: str


def campaign_of(text: str) -> str:
    """The campaign's name as events have it; raises ValueError for one that no event can have."""
    name = one_line(text)
    if not 1 <= len(name) <= MAX_NAME:
        raise ValueError(f"{len(name)} characters; write the campaign's name, of 1 to {MAX_NAME}")
    if "\N{REPLACEMENT CHARACTER}" in name:
        raise ValueError("a character of the name was lost on its way; write the name in UTF-8")
    return name


def decide(entry: SpendEntry, versions: Sequence[Spend]) -> Spend | Refusal | None:
    """The version that the entry adds to these, which are all of its campaign; None where it is kept already.

    No two periods of a campaign may have a day in common and both an amount: a week inside a month would count twice.
    """
    of_period = {it.version: it for it in versions if it.period == entry.period}
    last = max(of_period, default=0)
    latest = of_period.get(last)
    if entry.version is None and latest is not None and latest.amount == entry.amount:
        return None
    version = last + 1 if entry.version is None else entry.version
    if version in of_period:
        return _repeated(entry, of_period[version])
    if version > MAX_VERSION:
        return Refusal(RefusalCause.VERSION, f"a version is at most {MAX_VERSION}: write one")
    added = Spend(entry.campaign, entry.period, version, *dates_of(entry.period), entry.amount)
    overlapping = next((it for it in counted(versions) if _counts_twice(added, it)), None)
    if overlapping is None or version < last:
        return added
    return Refusal(
        RefusalCause.PERIOD,
        f"{entry.period} has days in common with {overlapping.period}, whose amount is kept: they would count twice; "
        f"leave it out, or put {overlapping.period} again with the amount null",
    )


def counted(versions: Iterable[Spend]) -> list[Spend]:
    """Of each campaign and period the latest version, unless that has no amount."""
    latest: dict[tuple[str, str], Spend] = {}
    for spend in versions:
        known = latest.setdefault((spend.campaign, spend.period), spend)
        if spend.version > known.version:
            latest[spend.campaign, spend.period] = spend
    return [it for it in latest.values() if it.amount is not None]


def _repeated(entry: SpendEntry, known: Spend) -> Refusal | None:
    if known.amount == entry.amount:
        return None
    return Refusal(
        RefusalCause.VERSION,
        f"version {known.version} of {entry.period} is kept with another amount: write a higher version, or none",
    )


def _counts_twice(added: Spend, known: Spend) -> bool:
    return added.amount is not None and added.period != known.period and added.overlaps(known)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a campaign cost in a report's days, by currency, and for how many of these days that is known."""

    cents: Mapping[str, int]
    days: int
    is_prorated: bool
    """Whether a period that is only in part in the report was divided by days."""


def cents_within(spend: Spend, first: date, last: date) -> int:
    """The cents of the days of its period from the first to the last date, of which there is one."""
    return 0 if spend.amount is None else _Part.of(spend, first, last).cents_of(spend.amount)


def costs(spending: Iterable[Spend], first: date, last: date) -> dict[str, Cost]:
    """The cost of each campaign from the first to the last date, of versions that count."""
    by_campaign: defaultdict[str, list[Spend]] = defaultdict(list)
    for spend in spending:
        if max(first, spend.first_on) <= min(last, spend.last_on):
            by_campaign[spend.campaign].append(spend)
    return {campaign: _cost(it, first, last) for campaign, it in by_campaign.items()}


def _cost(spending: Sequence[Spend], first: date, last: date) -> Cost:
    cents: defaultdict[str, int] = defaultdict(int)
    days, is_prorated = 0, False
    for spend in spending:
        part = _Part.of(spend, first, last)
        days += part.end - part.start
        is_prorated |= part.end - part.start < part.days
        if spend.amount is not None:
            cents[spend.amount.currency] += part.cents_of(spend.amount)
    return Cost(dict(cents), days, is_prorated)


class _Part(NamedTuple):
    """The days of a period that are in a report: from `start` on and before `end`, counted from 0, of `days`."""

    start: int
    end: int
    days: int

    @classmethod
    def of(cls, spend: Spend, first: date, last: date) -> _Part:
        start = max(first, spend.first_on) - spend.first_on
        end = min(last, spend.last_on) - spend.first_on
        return cls(start.days, end.days + 1, (spend.last_on - spend.first_on).days + 1)

    def cents_of(self, amount: Amount) -> int:
        """The cents of these days. Those of parts that follow each other sum to the whole amount."""
        until_start, until_end = (amount.cents * it // self.days for it in (self.start, self.end))
        return until_end - until_start
