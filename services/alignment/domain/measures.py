"""Measures: each figure of the report with its unit, its formula, and how many things it is computed from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import NamedTuple

from services.alignment.domain.groups import GroupCount, facts_of
from shared.agreement.model.money import LeadValue

LEADS, SHARE, SECONDS, ATTEMPTS, MONEY = "leads", "share", "seconds", "attempts", "money"
"""Units of figures. An amount has its currency, or `money` where none is agreed."""
NOTHING = "there are none yet"
"""Why a share or a time of nothing is not known."""


class Measured(StrEnum):
    """What is measured; the names of the agreement's measures are among them."""

    QUALIFIED = "qualified"
    QUALIFIED_VALUE = "qualified_value"
    ACCEPTANCE_RATE = "acceptance_rate"
    REJECTED_SHARE = "rejected_share"
    COMPLETENESS = "completeness"
    HANDOVER_TIME = "handover_time"
    ATTAINMENT = "attainment"
    ATTEMPTS = "attempts"
    ATTEMPTS_SPREAD = "attempts_spread"
    UNTOUCHED = "untouched"
    REASONS = "reasons_given"
    WIN_RATE = "win_rate"
    CAPACITY = "capacity"
    TIME_TO_ACCEPT = "time_to_accept"
    TIME_TO_CONTACT = "time_to_contact"
    TIME_TO_WIN = "time_to_win"
    RECYCLED = "recycled"
    QUALIFIED_AGAIN = "qualified_again"
    ACCEPTED_AGAIN = "accepted_again"
    WON_AGAIN = "won_again"


@dataclass(frozen=True, slots=True)
class Subject:
    """What one figure is about: a measure, its dates (in UTC, both included), and what the measure needs."""

    measure: Measured
    first: date
    last: date
    now: datetime
    policy: str | None = None
    traits: tuple[str, ...] = ()
    reason: str | None = None
    p: float | None = None
    at_most: timedelta | None = None
    cohort: timedelta | None = None


class Counted(NamedTuple):
    """How many things a figure is computed from, and how many of them count for it."""

    n: int
    kept: int


@dataclass(frozen=True, slots=True)
class Figure:
    """A value in its unit, and from how many things it was computed; where it is None, `why` says why.

    Where it is not known, `at_least` is what it cannot be below, or None.
    """

    value: float | None
    unit: str
    n: int
    why: str | None = None
    at_least: float | None = None

    @property
    def is_unknown(self) -> bool:
        """Whether it cannot be computed, though there may be something to compute it from."""
        return self.value is None and self.why != NOTHING


def qualified(leads: int) -> Figure:
    """Leads that qualified in the period, each qualification once. Unit: leads."""
    return Figure(leads, LEADS, leads)


def share_of(counted: Counted) -> Figure:
    """The part that counts: kept ÷ n. Unit: share, 0 to 1.

    - acceptance_rate = accepted ÷ (accepted + rejected); a lead that one rep rejected and another accepted is accepted.
    - rejected_share of a reason = rejected for it ÷ (accepted + rejected); with acceptance_rate they sum to 1.
    - completeness = qualified leads that had all the traits ÷ qualified leads whose traits are known.
    - attainment = met ÷ (met + late + open and overdue + cancelled after the breach), clocks by due date.
    - reasons_given = rejections and losses with a reason ÷ rejections and losses; of each handoff its last rejection.
    - win_rate = won within the cohort's time ÷ leads that qualified so long ago.
    - qualified_again, accepted_again, won_again = recycled leads that later did ÷ recycled leads.
    """
    if not counted.n:
        return Figure(None, SHARE, 0, NOTHING)
    return Figure(counted.kept / counted.n, SHARE, counted.n)


def qualified_value(
    fields: Sequence[str], counts: Iterable[GroupCount], values: Sequence[LeadValue], currency: str
) -> Figure:
    """The worth of the qualified leads: the sum of close rate times average deal, by the first condition that holds.

    Unit: the currency of `money`. It is added in hundredths of it, so that no order of leads changes the sum. It is
    not known where no condition holds for a lead.
    """
    leads = cents = unknown = 0
    for group, count in counts:
        worth = worth_of(fields, group, values)
        leads += count
        if worth is None:
            unknown += count
        else:
            cents += count * cents_of(worth)
    if unknown:
        return Figure(None, currency, leads, f"`money.value` says of {unknown} leads nothing")
    return Figure(cents / 100, currency, leads)


def worth_of(
    fields: Sequence[str], group: tuple[str, ...], values: Sequence[LeadValue]
) -> LeadValue | None:
    """The first entry of `money.value` that holds for a lead of this group, or None."""
    facts = facts_of(fields, group)
    return next((it for it in values if it.when.holds(facts)), None)


def cents_of(worth: LeadValue) -> int:
    """What one such lead is worth, in hundredths of the currency, to the nearest."""
    amount = Decimal(str(worth.close_rate)) * Decimal(str(worth.average_deal)) * 100
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def time_within(n: int, time: timedelta | None) -> Figure:
    """The least time within which the share `p` of `n` times ended, by `nearest_rank`, in steps. Unit: seconds.

    - handover_time: from the event that qualified the lead to its first assignment; a lead that waits counts with the
      time that it has waited so far.
    - time_to_accept, time_to_contact, time_to_win: from qualified to accepted, on to the first touch, on to the win.
    - attempts_spread: from the first to the last attempt, of leads with at least two.
    """
    if time is None:
        return Figure(None, SECONDS, 0, NOTHING)
    return Figure(time.total_seconds(), SECONDS, n)


def attempts_per_lead(attempts: int, leads: int) -> Figure:
    """Attempts to contact ÷ leads that were assigned. Unit: attempts."""
    if not leads:
        return Figure(None, ATTEMPTS, 0, NOTHING)
    return Figure(attempts / leads, ATTEMPTS, leads)
