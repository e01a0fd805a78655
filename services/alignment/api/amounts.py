"""Amounts of money in answers: those that are added in one currency, and those that are shown apart."""

from __future__ import annotations

from pydantic import BaseModel, Field

from services.alignment.domain.exchange import Sum

CENTS = 100


class AmountOut(BaseModel):
    """An amount in one currency."""

    currency: str
    amount: float = Field(description="Exact to a hundredth.")

    def __str__(self) -> str:
        """The amount as a cell of a CSV has it."""
        return f"{self.amount:.2f} {self.currency}"


def amounts_apart(total: Sum) -> list[AmountOut]:
    """The amounts that are not added, by currency."""
    return [AmountOut(currency=code, amount=cents / CENTS) for code, cents in total.apart.items()]


def in_units(cents: int | None) -> float | None:
    """The hundredths as an amount."""
    return None if cents is None else cents / CENTS
