"""Amounts in several currencies as one sum: converted by the rates of the agreement, the rest shown apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Sum:
    """Money in hundredths: what can be added in the exchange's currency, and the rest by its own currency."""

    cents: int = 0
    apart: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exchange:
    """The currency in which amounts are added, and what one unit of each convertible currency, itself too, is in it."""

    currency: str | None
    rates: Mapping[str, Fraction]

    def sum_of(self, cents: Mapping[str, int]) -> Sum:
        """The sum of these hundredths by currency, rounded once, half up."""
        exact = sum(
            (it * self.rates[code] for code, it in cents.items() if code in self.rates), Fraction()
        )
        apart = {code: cents[code] for code in sorted(cents.keys() - self.rates.keys())}
        return Sum(rounded(exact), apart)


def rounded(exact: Fraction) -> int:
    """The nearest whole number, half up."""
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)
