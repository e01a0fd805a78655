"""Who agreed, and for how long that holds, as an answer."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

from shared.agreement.model.promises import Parties, Party


class PartyOut(BaseModel):
    """One of the two sides."""

    owner: str = Field(description="Who answers for the promises of this side.")
    signed_on: date | None = Field(description="When they agreed; null: not yet.")

    @classmethod
    def of(cls, party: Party | None) -> PartyOut | None:
        """The side as it is answered; None where the agreement names nobody."""
        return None if party is None else cls(owner=party.owner, signed_on=party.signed_on)


class PartiesOut(BaseModel):
    """The section `parties` of the agreement."""

    marketing: PartyOut | None = Field(description="Null: the agreement names nobody.")
    sales: PartyOut | None
    review: Literal["weekly", "monthly"] = Field(
        description="How often both sides look at it together."
    )
    effective_from: date | None = Field(
        description="The first day on which the agreement is meant to hold; null: it does not say."
    )
    effective_until: date | None = Field(
        description="The last day; null: it has no end. Promises are counted before and after too."
    )

    @classmethod
    def of(cls, parties: Parties | None) -> PartiesOut | None:
        """The section as it is answered; None where there is none."""
        if parties is None:
            return None
        effective = parties.effective
        return cls(
            marketing=PartyOut.of(parties.marketing),
            sales=PartyOut.of(parties.sales),
            review=parties.review,
            effective_from=None if effective is None else effective.since,
            effective_until=None if effective is None else effective.until,
        )
