"""The sections `money` and `attribution`: what leads are worth, and which touches are credited with it."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared.agreement.cel.condition import Condition
from shared.agreement.durations import Duration
from shared.agreement.model.base import Section
from shared.agreement.model.promises import MAX_AMOUNT, Period
from shared.documents.limits import AtMost, Between, TextForm

Currency = Annotated[
    str,
    AtMost(3),
    TextForm(
        r"[A-Z]{3}",
        name="a currency",
        words="the three letters of ISO 4217, such as EUR",
        example="EUR",
    ),
]
Share = Annotated[float, Between(0, 1)]
Amount = Annotated[float, Between(0, MAX_AMOUNT)]


class Quota(Section):
    """The revenue that sales must bring, and marketing's part of it."""

    amount: Amount = Field(gt=0, description="In `currency`.")
    per: Period = Field(description="The period.")
    marketing_share: Share = Field(gt=0, description="The part that comes from marketing's leads.")


class LeadValue(Section):
    """What a qualified lead is worth: close rate times average deal."""

    when: Condition = Field(
        description="CEL over team, tier, source, campaign, channel, persona; the last `true`."
    )
    close_rate: Share = Field(description="The share of these leads that is won.")
    average_deal: Amount = Field(description="In `currency`.")


class Money(Section):
    """What leads are worth, and in which currency amounts are added."""

    currency: Currency = Field(description="In which amounts are added.")
    rates: Annotated[
        dict[Currency, Annotated[float, Between(0.000001, 1_000_000)]], AtMost(200)
    ] = Field(
        default_factory=dict,
        description="What one unit of another currency is in `currency`. Amounts in a currency without a rate are "
        "shown apart, never added.",
    )
    quota: Quota | None = Field(
        default=None, description="From which the number of leads that are needed is computed."
    )
    value: Annotated[tuple[LeadValue, ...], AtMost(50)] = Field(
        default=(), description="The first that holds; the last must hold for every lead."
    )
    gross_margin: Share | None = Field(default=None, gt=0, description="For the lifetime value.")
    monthly_churn: Share | None = Field(default=None, gt=0, description="For the lifetime value.")


class AttributionModel(StrEnum):
    """How the amount of a win is divided among touches."""

    FIRST = "first"
    LAST = "last"
    LINEAR = "linear"
    TIME_DECAY = "time_decay"
    U_SHAPED = "u_shaped"
    W_SHAPED = "w_shaped"
    FULL_PATH = "full_path"


class Attribution(Section):
    """Which touches are credited with a win."""

    window: Annotated[Duration, Between(timedelta(days=1), timedelta(days=1095))] = Field(
        default=timedelta(days=90), description="Touches so long before the win are credited."
    )
    half_life: Annotated[Duration, Between(timedelta(hours=1), timedelta(days=1095))] = Field(
        default=timedelta(days=7),
        description="Of `time_decay`: a touch so long before another one has half of its credit.",
    )
    show: AttributionModel = Field(
        default=AttributionModel.W_SHAPED, description="The model by which costs are compared."
    )
