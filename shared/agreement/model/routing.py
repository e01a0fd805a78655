"""The section `routing`: who gets a qualified lead, and what reps may answer."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from shared.agreement.cel.condition import Condition
from shared.agreement.durations import Duration
from shared.agreement.model.base import Id, Label, Section
from shared.documents.limits import AtMost, Between


class Strategy(StrEnum):
    """How a rep is chosen among the eligible ones."""

    FAIR_SHARE = "fair_share"
    LEAST_LOADED = "least_loaded"
    RANKED = "ranked"
    OWNER = "owner"


class Team(Section):
    """A team that leads go to."""

    id: Id
    calendar: Id = Field(description="Its working hours, which the clocks of a journey count.")
    period: Literal["month", "ever"] = Field(
        default="month", description="The period over which fair share counts."
    )
    lead: Id | None = Field(
        default=None,
        description="The rep who leads the team, by the id in reps.yaml: whom `notify: lead` of a ladder means.",
    )


class RoutingRule(Section):
    """Which team gets a lead: that of the first rule that holds; the last rule must hold for every lead."""

    id: Id
    when: Condition = Field(description="CEL over lead, tier, fit, engagement, grade, hand_raised.")
    team: Id = Field(description="One of `teams`.")
    match: Condition | None = Field(
        default=None, description="CEL over lead and rep: which reps of the team are eligible."
    )
    strategy: Strategy = Field(
        default=Strategy.FAIR_SHARE,
        description="The eligible rep with the largest shortfall, with the smallest load for their capacity "
        "(without one: for the team's largest), or the first; or the owner of the account, in whatever team.",
    )
    otherwise: Literal["team", "wait"] = Field(
        default="team",
        alias="else",
        description="Only with `owner`: while the owner is full, away or outside hours, the lead goes to the team by "
        "fair share, or waits. Without an owner, or where the owner may never have it, it goes to the team.",
    )
    hours: Literal["any", "open"] = Field(
        default="any", description="`open`: only inside working hours."
    )
    sticky: bool = Field(
        default=True,
        description="A lead goes to the owner of its account, else back to the rep who had it before, if that rep is "
        "eligible, and the latter never refused it.",
    )
    sticky_across_teams: bool = Field(
        default=False,
        description="Also to an owner or earlier rep in another team: the lead then goes to that team.",
    )

    @property
    def ranking(self) -> Strategy:
        """How reps of the team are compared: by fair share where the strategy is the owner."""
        return Strategy.FAIR_SHARE if self.strategy is Strategy.OWNER else self.strategy

    @property
    def asks_owner(self) -> bool:
        """Whether the owner of the account comes before the other reps."""
        return self.sticky or self.strategy is Strategy.OWNER


class RejectReason(Section):
    """A reason for which a rep may hand a lead back, and what becomes of the lead."""

    id: Id
    then: Literal["reassign", "recycle", "disqualify"] = Field(
        description="`reassign`: to another rep. `recycle`: back to marketing, and never again to the rep who refused "
        "it. `disqualify`: the lead does not qualify any more, until an event of `qualification.reopened_by` or ops "
        "reopen it."
    )
    label: Label | None = Field(default=None, description="How reps read it.")
    wait: Annotated[Duration | None, Between(timedelta(hours=1), timedelta(days=3650))] = Field(
        default=None,
        description="Only with `recycle`: before this time there is no new handoff, except by a hand-raise; after it "
        "the lead may qualify again by the threshold, even if its engagement never fell below `rearm_below`. Without "
        "it, only after it fell or by a hand-raise.",
    )


class ContactOutcome(Section):
    """What a contact of a rep came to, and what it counts as."""

    id: Id
    label: Label | None = Field(default=None, description="How reps read it.")
    attempt: bool = Field(
        default=True, description="Whether it counts as an attempt to reach the lead."
    )
    touch: bool = Field(
        default=True,
        description="Whether it counts as a touch, which `first_touch` promises. A contact that is none accepts the "
        "handoff, and leaves it untouched.",
    )
    reached: bool = Field(default=False, description="Whether the rep reached the person.")


class PauseReason(Section):
    """A reason for which a rep may pause promises, and which ones it pauses."""

    id: Id
    label: Label | None = Field(default=None, description="How reps read it.")
    kinds: Annotated[tuple[Id, ...], AtMost(50)] = Field(
        min_length=1,
        description="The kinds of `sla.policies` that it pauses. `accept` cannot be paused.",
    )
    longest: Annotated[Duration, Between(timedelta(minutes=1), timedelta(days=365))] = Field(
        description="So long after its beginning a pause is over by itself; wall time."
    )


class Routing(Section):
    """Who gets a qualified lead."""

    teams: Annotated[tuple[Team, ...], AtMost(200)] = Field(
        min_length=1, description="The teams; their reps are in reps.yaml."
    )
    account_owner: Id | None = Field(
        default=None,
        description="The trait that names the rep who owns the lead's account, by id or e-mail address; "
        "`accounts` in reps.yaml come first.",
    )
    rules: Annotated[tuple[RoutingRule, ...], AtMost(500)] = Field(
        min_length=1, description="The first that holds; the last must hold for every lead."
    )
    reject_reasons: Annotated[tuple[RejectReason, ...], AtMost(100)] = Field(
        default=(), description="What a rep may say when handing a lead back."
    )
    contact_outcomes: Annotated[tuple[ContactOutcome, ...], AtMost(100)] = Field(
        default=(),
        description="What a contact may come to; without any, every outcome is an attempt and a touch.",
    )
    pause_reasons: Annotated[tuple[PauseReason, ...], AtMost(100)] = Field(
        default=(), description="Why a rep may pause a handoff; without any, nobody can."
    )
    loss_reasons: Annotated[tuple[Id, ...], AtMost(100)] = Field(
        default=(), description="What a rep may say when a deal is lost."
    )
