"""A version of the agreement as alignment counts by it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from services.alignment.domain.attribution import Terms
from services.alignment.domain.exchange import Exchange
from services.alignment.domain.returns import LifetimeTerms
from shared.agreement.model import Agreement, Attribution, Money


@dataclass(frozen=True, slots=True)
class AlignmentPolicy:
    """One version of the agreement."""

    version: int
    agreement: Agreement


def terms_of(attribution: Attribution) -> Terms:
    """The terms by which touches are credited, by this section of an agreement."""
    return Terms(attribution.window, attribution.half_life)


def exchange_of(money: Money | None) -> Exchange:
    """The exchange by this section of an agreement; without it no amounts are added."""
    if money is None:
        return Exchange(None, {})
    rates = {code: Fraction(str(rate)) for code, rate in money.rates.items()}
    return Exchange(money.currency, {**rates, money.currency: Fraction(1)})


def lifetime_terms_of(money: Money | None) -> LifetimeTerms | None:
    """The terms of the lifetime value by this section of an agreement."""
    return None if money is None else LifetimeTerms(money.gross_margin, money.monthly_churn)
