"""The sections `parties` and `promises`: who agreed, and what each side promised the other."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from shared.agreement.cel.condition import Condition
from shared.agreement.durations import Duration
from shared.agreement.model.base import Id, Label, Section
from shared.agreement.model.calendar import Day
from shared.documents.limits import AtMost, Between

MAX_AMOUNT = 1_000_000_000_000
Period = Literal["week", "month", "quarter"]


class Party(Section):
    """One of the two sides."""

    owner: Label = Field(min_length=1, description="Who answers for the promises of this side.")
    signed_on: Day | None = Field(default=None, description="When they agreed.")


class Effective(Section):
    """The dates from and until which the agreement is meant to hold, both included."""

    since: Day = Field(alias="from", description="The first day.")
    until: Day | None = Field(default=None, description="The last day.")


class Parties(Section):
    """Who agreed, how often they look at it together, and for how long it holds."""

    marketing: Party | None = Field(default=None, description="The side that hands leads over.")
    sales: Party | None = Field(default=None, description="The side that follows them up.")
    review: Literal["weekly", "monthly"] = Field(
        default="weekly", description="What a report covers where no period is named."
    )
    effective: Effective | None = Field(
        default=None, description="For people to read: promises are counted before and after too."
    )


class Measure(StrEnum):
    """What a promise is measured by."""

    QUALIFIED = "qualified"
    QUALIFIED_VALUE = "qualified_value"
    ACCEPTANCE_RATE = "acceptance_rate"
    COMPLETENESS = "completeness"
    HANDOVER_TIME = "handover_time"
    ATTAINMENT = "attainment"
    REASONS = "reasons_given"
    WIN_RATE = "win_rate"
    CAPACITY = "capacity"


class Promise(Section):
    """What one side promised the other."""

    id: Id
    measure: Measure = Field(
        description="`qualified`: leads. `qualified_value`: their worth by `money.value`. `acceptance_rate`: accepted "
        "of accepted and rejected. `completeness`: qualified leads that have all `traits`. `handover_time`: from the "
        "event that qualified the lead to its assignment. `attainment`: promises of the SLA `policy` that were kept. "
        "`reasons_given`: rejections and losses with a reason. `win_rate`: won within the `cohort`. `capacity`: leads "
        "that the roster can take, the limits a day of the reps who work on each date."
    )
    per: Period | None = Field(
        default=None, description="Of `qualified`, `qualified_value` and `capacity`: the period."
    )
    at_least: Annotated[float | None, Between(0, MAX_AMOUNT)] = Field(
        default=None, description="The target; a share, such as 0.7, of what is a share."
    )
    at_most: Annotated[Duration | None, Between(timedelta(seconds=1), timedelta(days=365))] = Field(
        default=None, description="Of `handover_time`: the target; wall time."
    )
    p: Annotated[float | None, Between(0.01, 1)] = Field(
        default=None,
        description="Of `handover_time`: the share of leads that are handed over so fast.",
    )
    where: Condition | None = Field(
        default=None,
        description="CEL over team, tier, source, campaign, channel, persona: which leads count; by default all. Of "
        "`capacity` over the team alone.",
    )
    traits: Annotated[tuple[Annotated[str, AtMost(63)], ...], AtMost(50)] = Field(
        default=(), description="Of `completeness`: traits that a lead must have."
    )
    policy: Id | None = Field(default=None, description="Of `attainment`: one of `sla.policies`.")
    cohort: Annotated[Duration | None, Between(timedelta(days=1), timedelta(days=1095))] = Field(
        default=None, description="Of `win_rate`: how long after its qualification a lead counts."
    )
    at_least_n: Annotated[int, Between(1, 1_000_000)] = Field(
        default=10,
        description="From fewer leads nothing is judged. Of no effect on numbers of leads.",
    )


class Promises(Section):
    """What each side promised the other. It is judged to date: docs/measures.md has the formulas."""

    marketing: Annotated[tuple[Promise, ...], AtMost(100)] = Field(
        default=(), description="What marketing promised sales."
    )
    sales: Annotated[tuple[Promise, ...], AtMost(100)] = Field(
        default=(), description="What sales promised marketing."
    )
