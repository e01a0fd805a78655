"""The revenue that marketing's leads must bring, and how many leads that takes, by the section `money`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.alignment.domain.groups import GroupCount
from services.alignment.domain.measures import worth_of
from shared.agreement.model import Measure, Promise
from shared.agreement.model.money import Money
from shared.agreement.model.promises import Period

IN_A_YEAR: dict[Period, int] = {"week": 52, "month": 12, "quarter": 4}


@dataclass(frozen=True, slots=True)
class Goal:
    """What marketing must bring in a period so that sales meets its quota.

    `leads` is how many qualified leads the rates were weighted by.
    """

    per: Period
    currency: str
    revenue: float
    average_deal: float | None = None
    close_rate: float | None = None
    customers: float | None = None
    leads_needed: float | None = None
    leads: int = 0


def goal_of(money: Money, fields: Sequence[str], counts: Sequence[GroupCount]) -> Goal | None:
    """The goal by the quota, weighted by the leads that qualified; None without a quota.

    revenue = quota times marketing's share; customers = revenue ÷ average deal; leads needed = customers ÷ close rate.
    Where `money.value` has several entries, the close rate is their mean over the leads, and the average deal their
    mean over the customers that these leads are expected to become. With one entry both are what it says.
    """
    quota = money.quota
    if quota is None:
        return None
    revenue = quota.amount * quota.marketing_share
    leads = sum(it.number for it in counts)
    weight, customers, worth = _expected(money, fields, counts)
    if not worth:
        return Goal(quota.per, money.currency, revenue, leads=leads)
    average_deal, close_rate = worth / customers, customers / weight
    needed = revenue / average_deal
    return Goal(
        per=quota.per,
        currency=money.currency,
        revenue=revenue,
        average_deal=average_deal,
        close_rate=close_rate,
        customers=needed,
        leads_needed=needed / close_rate,
        leads=leads,
    )


def _expected(
    money: Money, fields: Sequence[str], counts: Sequence[GroupCount]
) -> tuple[int, float, float]:
    """The leads that an entry of `money.value` holds for, the customers that they become, and what those bring.

    Of a single entry no lead is needed.
    """
    if len(money.value) == 1:
        weighted = [(it, 1) for it in money.value]
    else:
        worths = [(worth_of(fields, it.group, money.value), it.number) for it in counts]
        weighted = [(it, count) for it, count in worths if it is not None]
    return (
        sum(count for _, count in weighted),
        sum(count * it.close_rate for it, count in weighted),
        sum(count * it.close_rate * it.average_deal for it, count in weighted),
    )


def cannot_reach(promise: Promise, goal: Goal | None) -> str | None:
    """Why the quota is missed even if the promise is kept; None if it may be reached, or is not known.

    Only promises about all leads are compared: others are about a part of them.
    """
    if goal is None or promise.where is not None or promise.per is None or not promise.at_least:
        return None
    needed = {
        Measure.QUALIFIED: goal.leads_needed,
        Measure.QUALIFIED_VALUE: goal.revenue,
        Measure.CAPACITY: goal.leads_needed,
    }.get(promise.measure)
    if needed is None:
        return None
    in_period = needed * IN_A_YEAR[goal.per] / IN_A_YEAR[promise.per]
    if promise.at_least >= in_period * (1 - 1e-9):
        return None
    unit = goal.currency if promise.measure is Measure.QUALIFIED_VALUE else "leads"
    return (
        f"the quota takes {in_period:,.0f} {unit} per {promise.per}, and this promise is "
        f"{promise.at_least:,.0f}"
    )
