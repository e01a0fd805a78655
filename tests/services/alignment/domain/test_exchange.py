"""Amounts in several currencies as one sum."""

from __future__ import annotations

from fractions import Fraction

import pytest

from services.alignment.domain.exchange import Exchange, Sum, rounded
from services.alignment.domain.policy import exchange_of, lifetime_terms_of
from services.alignment.domain.returns import LifetimeTerms
from shared.agreement.model import Money

EXCHANGE = Exchange("EUR", {"EUR": Fraction(1), "USD": Fraction("0.92")})


@pytest.mark.parametrize(
    ("cents", "total"),
    [
        ({}, Sum()),
        ({"EUR": 100, "USD": 100}, Sum(192)),
        ({"USD": 1}, Sum(1)),
        ({"USD": 10**14}, Sum(92 * 10**12)),
        ({"EUR": 5, "PLN": 7, "GBP": 3}, Sum(5, {"GBP": 3, "PLN": 7})),
    ],
)
def test_amounts_are_converted_and_those_without_a_rate_are_apart(
    cents: dict[str, int], total: Sum
) -> None:
    assert EXCHANGE.sum_of(cents) == total


def test_halves_are_rounded_up() -> None:
    assert [rounded(Fraction(it, 2)) for it in (-1, 0, 1, 2, 3)] == [0, 0, 1, 1, 2]


def test_the_exchange_is_that_of_the_agreement() -> None:
    money = Money.model_validate({"currency": "EUR", "rates": {"USD": 0.92}, "gross_margin": 0.8})

    assert exchange_of(money) == EXCHANGE
    assert exchange_of(None) == Exchange(None, {})
    assert lifetime_terms_of(money) == LifetimeTerms(0.8, None)
    assert lifetime_terms_of(None) is None
