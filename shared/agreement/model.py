"""The agreement as a value: what qualifies, who gets it, how fast it is answered."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.agreement.conditions import Condition
from shared.agreement.durations import Duration, HalfLife
from shared.contracts.payloads import Scope

Id = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$", description="Lower case, digits, `_`.")
]
Points = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]
Hundred = Annotated[float, Field(ge=0, le=100)]


class Section(BaseModel):
    """A part of the agreement; a name that it does not know is an error, not a silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TraitType(StrEnum):
    """What a trait holds; strings that look like numbers are numbers where a number is declared."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    LIST = "list"


class FitRule(Section):
    """Points for who somebody is."""

    id: Id
    when: Condition = Field(description="CEL over `lead`.")
    points: Points = Field(description="May be negative.")
    label: str | None = Field(default=None, description="How reps read it; by default the id.")


class Signal(Section):
    """Points for what somebody does."""

    id: Id
    on: str = Field(description="The event's type.")
    when: Condition | None = Field(default=None, description="CEL over `event`; absent: every one.")
    points: Points = Field(description="May be negative.")
    half_life: HalfLife = Field(
        default=timedelta(days=14), description="After this long the points count half; or `never`."
    )
    daily_max: float | None = Field(
        default=None, gt=0, description="Most undecayed points a UTC day."
    )
    max: float | None = Field(default=None, gt=0, description="Most decayed points at one instant.")
    group: Id | None = Field(default=None, description="One of `groups`, which bounds the sum.")
    label: str | None = Field(default=None, description="How reps read it; by default the id.")


class Group(Section):
    """A bound over several signals."""

    max: float = Field(gt=0, description="Most that its signals give together at one instant.")


class Grades(Section):
    """Lower bounds of A, B, C of fit, and of 1, 2, 3 of engagement; below the last: D, or 4."""

    fit: tuple[Hundred, Hundred, Hundred] = Field(
        default=(75.0, 50.0, 25.0), description="From here on A, B, C."
    )
    engagement: tuple[Hundred, Hundred, Hundred] = Field(
        default=(75.0, 50.0, 25.0), description="From here on 1, 2, 3."
    )


class Scoring(Section):
    """How fit and engagement are counted."""

    fit: tuple[FitRule, ...] = Field(default=(), description="Who they are: 0 to 100 in all.")
    signals: tuple[Signal, ...] = Field(
        default=(), description="What they do: 0 to 100 in all, fading."
    )
    groups: dict[Id, Group] = Field(default_factory=dict, description="Bounds, by name.")
    grades: Grades = Field(default=Grades(), description="How numbers become a grade such as B2.")


class Threshold(Section):
    """The line that a lead crosses by its numbers."""

    when: Condition = Field(
        description="CEL over lead, fit, engagement, likelihood, grade, hand_raised."
    )
    rearm_below: Hundred = Field(
        description="Once engagement is below this, the lead may cross the line again."
    )


class Suppression(Section):
    """Leads that never qualify, and why."""

    id: Id
    when: Condition = Field(
        description="CEL over lead, fit, engagement, likelihood, grade, hand_raised."
    )
    reason: str = Field(description="For the people who ask why.")


class Tier(Section):
    """A class of handoffs; the first that holds."""

    id: Id
    when: Condition = Field(description="As for suppressions; the last `true`.")


class Qualification(Section):
    """When a lead becomes a handoff."""

    hand_raise: tuple[str, ...] = Field(default=(), description="Event types that always qualify.")
    threshold: Threshold | None = Field(
        default=None, description="The line for everybody who does not raise a hand."
    )
    require: tuple[str, ...] = Field(
        default=("email",), description="Traits without which a rep can do nothing."
    )
    suppress: tuple[Suppression, ...] = Field(
        default=(), description="Who never qualifies; the first that holds is the reason."
    )
    tiers: tuple[Tier, ...] = Field(min_length=1, description="The last must hold for every lead.")


class Strategy(StrEnum):
    """Who of the eligible does it."""

    FAIR_SHARE = "fair_share"
    LEAST_LOADED = "least_loaded"
    RANKED = "ranked"


class Team(Section):
    """A team that leads go to."""

    id: Id
    calendar: Id = Field(description="Its working hours: what a journey's clock counts.")
    period: Literal["month", "ever"] = Field(
        default="month", description="What fair share counts over."
    )


class RoutingRule(Section):
    """First match names the team; the last rule must hold for every lead."""

    id: Id
    when: Condition = Field(description="CEL over lead, tier, fit, engagement, grade, hand_raised.")
    team: Id = Field(description="One of `teams`.")
    match: Condition | None = Field(
        default=None, description="CEL over lead and rep: who of the team may."
    )
    strategy: Strategy = Field(
        default=Strategy.FAIR_SHARE,
        description="The largest shortfall, the smallest load, or the first, of who is eligible.",
    )
    hours: Literal["any", "open"] = Field(
        default="any", description="`open`: only inside working hours."
    )
    sticky: bool = Field(
        default=True, description="A lead goes back to the rep who had it, if eligible."
    )


class RejectReason(Section):
    """Why a rep may hand a lead back, and what becomes of it."""

    id: Id
    then: Literal["reassign", "recycle"] = Field(
        description="To another rep, or back to marketing."
    )
    label: str | None = Field(default=None, description="How reps read it.")


class Routing(Section):
    """Who gets a qualified lead."""

    teams: tuple[Team, ...] = Field(min_length=1, description="Who is in them: reps.yaml.")
    rules: tuple[RoutingRule, ...] = Field(
        min_length=1, description="The first that holds; the last must hold for every lead."
    )
    reject_reasons: tuple[RejectReason, ...] = Field(
        default=(), description="What a rep may say when handing a lead back."
    )
    loss_reasons: tuple[Id, ...] = Field(
        default=(), description="What a rep may say when a deal is lost."
    )


class Weekday(StrEnum):
    """A day of the week, as calendars name it."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


Window = Annotated[
    str,
    Field(
        pattern=r"^([01]\d|2[0-3]):[0-5]\d-([0-3]\d|4[0-7]):[0-5]\d$",
        description="`09:00-17:00`, half-open; `22:00-30:00` runs into the next day; `00:00-24:00`.",
    ),
]


class Override(Section):
    """What one date has instead of its weekday's windows; none means closed."""

    windows: tuple[Window, ...] = Field(default=(), description="None: closed.")
    even_if_holiday: bool = Field(default=False, description="Open although it is a holiday.")


class Calendar(Section):
    """Working hours in a time zone."""

    id: Id
    zone: str = Field(description="IANA, such as Europe/Berlin.")
    hours: dict[Weekday, tuple[Window, ...]] = Field(
        description="Half-open: 09:00-17:00; 22:00-30:00 runs into the next day; 00:00-24:00 is all of it."
    )
    holidays: str | None = Field(
        default=None, description="ISO country, with subdivision: DE, DE-BE, US-CA."
    )
    overrides: dict[date, Override] = Field(
        default_factory=dict, description="Dates with hours of their own."
    )
    holiday_truncates_overnight: bool = Field(
        default=False, description="A holiday ends the night shift before it at midnight."
    )


class Anchor(StrEnum):
    """The handoff's change that starts a clock."""

    QUALIFIED = "qualified"
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    WON = "won"


class Step(Section):
    """One rung of the ladder after a breach."""

    after: Duration = Field(default=timedelta(0), description="Business time after the breach.")
    notify: Literal["team", "ops"] = Field(description="Whose fallback endpoint is told.")


class Policy(Section):
    """One promise: what must happen, how soon, counted in whose hours."""

    id: Id
    kind: Literal["accept", "first_touch"] = Field(description="accepted, or contacted, stops it.")
    scope: Scope = Field(
        description="`hop` starts anew with each rep; `journey` runs once, whoever has the lead."
    )
    anchor: Anchor = Field(description="The change that starts the clock.")
    when: Condition | None = Field(default=None, description="CEL over tier and team; absent: all.")
    target: Duration = Field(description="Business time.")
    warn_at: float = Field(
        default=0.8, gt=0, lt=1, description="At risk from this part of the target on."
    )
    ladder: tuple[Step, ...] = Field(
        default=(Step(notify="team"),), description="Who is told of a breach, and when."
    )


class Sla(Section):
    """How fast a handoff is answered."""

    calendars: tuple[Calendar, ...] = Field(min_length=1, description="Working hours.")
    policies: tuple[Policy, ...] = Field(default=(), description="The promises.")


class Agreement(Section):
    """What marketing and sales promised each other, in one file."""

    leadbaton: Literal[1] = Field(description="The form of this file.")
    name: str = Field(min_length=1, max_length=200, description="For people.")
    traits: dict[Id, TraitType] = Field(
        default_factory=dict, description="What marketing promises to send; rules know no others."
    )
    scoring: Scoring = Field(description="How interested, and how fitting.")
    qualification: Qualification = Field(description="When sales gets the lead.")
    routing: Routing = Field(description="Who gets it.")
    sla: Sla = Field(description="How fast it is answered.")
