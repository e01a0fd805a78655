"""What campaigns cost beside what they brought: cost of a lead and of a win, return on investment, lifetime value."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from services.alignment.domain.attribution import Credits, Group
from services.alignment.domain.exchange import Exchange, Sum, rounded
from services.alignment.domain.funnel import ratio
from services.alignment.domain.outcomes import OutcomeCounts
from services.alignment.domain.spend import Cost
from shared.agreement.model import AttributionModel


class NotComputed(StrEnum):
    """Why a figure about money is not there."""

    NO_SPEND = "no_spend"
    NO_MONEY = "no_money"
    NO_RATE = "no_rate"
    NO_COST = "no_cost"
    NO_WINS = "no_wins"
    NO_TERMS = "no_terms"


@dataclass(frozen=True, slots=True)
class Spent:
    """What was spent in a report's days, for how many of them that is known, and whether a period was divided."""

    sum: Sum
    days: int
    is_prorated: bool


@dataclass(frozen=True, slots=True)
class Returns:
    """What a campaign, or all of them, cost and brought."""

    counts: OutcomeCounts
    attributed: Sum
    """What was won, as far as it is credited to the campaign."""
    spent: Spent | None
    """None where nothing is known of its cost."""
    has_money: bool = True
    """Whether the agreement says in which currency amounts are added."""

    @property
    def cost_not_computed(self) -> NotComputed | None:
        """Why the cost is unknown; None where it is known."""
        if self.spent is None:
            return NotComputed.NO_SPEND
        if not self.has_money:
            return NotComputed.NO_MONEY
        return NotComputed.NO_RATE if self.spent.sum.apart else None

    @property
    def cost_cents(self) -> int | None:
        """The whole cost in hundredths; None where it is unknown."""
        if self.spent is None or self.cost_not_computed is not None:
            return None
        return self.spent.sum.cents

    @property
    def roi_not_computed(self) -> NotComputed | None:
        """Why there is no return on investment."""
        if self.cost_cents is None:
            return self.cost_not_computed
        if self.attributed.apart:
            return NotComputed.NO_RATE
        return None if self.cost_cents else NotComputed.NO_COST

    @property
    def roi(self) -> float | None:
        """(won - spend) / spend; None where the cost is unknown or zero, or not all that was won can be added."""
        if self.cost_cents is None or self.roi_not_computed is not None:
            return None
        return ratio(self.attributed.cents - self.cost_cents, self.cost_cents)

    def cost_of_each(self, count: int) -> int | None:
        """The cost divided by so many, in hundredths; None where it is unknown, or there are none."""
        if self.cost_cents is None or not count:
            return None
        return rounded(Fraction(self.cost_cents, count))


def attributed_sums(
    credit: Mapping[Group, Credits], model: AttributionModel, exchange: Exchange
) -> dict[str | None, Sum]:
    """What each campaign is credited with by the model; under None what no campaign is credited with."""
    cents: defaultdict[str | None, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for group, by_model in credit.items():
        cents[group.name][group.currency] += by_model.cents[model]
    return {campaign: exchange.sum_of(it) for campaign, it in cents.items()}


def won_sums(credit: Mapping[Group, Credits], model: AttributionModel) -> dict[str, int]:
    """What was won in each currency, in cents: the credit of all groups, by whichever model."""
    cents = Counter[str]()
    for group, by_model in credit.items():
        cents[group.currency] += by_model.cents[model]
    return cents


def returns(
    counts: Iterable[OutcomeCounts],
    attributed: Mapping[str | None, Sum],
    costs: Mapping[str, Cost],
    exchange: Exchange,
) -> list[Returns]:
    """The returns of each campaign that has leads, credit or costs, the most expensive first."""
    counts_of = {it.campaign: it for it in counts}
    rows = [
        Returns(
            counts_of.get(campaign, OutcomeCounts(campaign)),
            attributed.get(campaign, Sum()),
            _spent(None if campaign is None else costs.get(campaign), exchange),
            exchange.currency is not None,
        )
        for campaign in counts_of.keys() | attributed.keys() | costs.keys()
    ]
    return sorted(rows, key=_order)


def _spent(cost: Cost | None, exchange: Exchange) -> Spent | None:
    return None if cost is None else Spent(exchange.sum_of(cost.cents), cost.days, cost.is_prorated)


def _order(row: Returns) -> tuple[int, int, int, bool, str]:
    campaign, spent = row.counts.campaign, 0 if row.spent is None else row.spent.sum.cents
    return (
        -spent,
        -row.attributed.cents,
        -row.counts.qualified,
        campaign is None,
        campaign or "",
    )


def in_all(counts: OutcomeCounts, campaigns: Iterable[Returns], *, has_money: bool) -> Returns:
    """All campaigns together, with what no campaign is credited with: the sums of their columns."""
    rows = list(campaigns)
    spent = [it.spent for it in rows if it.spent is not None]
    return Returns(
        counts,
        _total(it.attributed for it in rows),
        Spent(
            _total(it.sum for it in spent),
            max(it.days for it in spent),
            any(it.is_prorated for it in spent),
        )
        if spent
        else None,
        has_money,
    )


def _total(sums: Iterable[Sum]) -> Sum:
    cents, apart = 0, dict[str, int]()
    for added in sums:
        cents += added.cents
        for currency, cents_apart in added.apart.items():
            apart[currency] = apart.get(currency, 0) + cents_apart
    return Sum(cents, apart)


@dataclass(frozen=True, slots=True)
class LifetimeTerms:
    """How long customers stay and what is left of what they pay, as `money` says; None: it does not."""

    gross_margin: float | None
    monthly_churn: float | None


@dataclass(frozen=True, slots=True)
class Lifetime:
    """The lifetime value of a customer in hundredths, or why it is not there."""

    cents: int | None
    not_computed: NotComputed | None


def lifetime(won_cents: int, customers: int, terms: LifetimeTerms | None) -> Lifetime:
    """Average won amount of a customer x gross margin / monthly churn."""
    if terms is None:
        return Lifetime(None, NotComputed.NO_MONEY)
    if not terms.gross_margin or not terms.monthly_churn:
        return Lifetime(None, NotComputed.NO_TERMS)
    if not customers:
        return Lifetime(None, NotComputed.NO_WINS)
    margin, churn = Fraction(str(terms.gross_margin)), Fraction(str(terms.monthly_churn))
    return Lifetime(rounded(Fraction(won_cents, customers) * margin / churn), None)
