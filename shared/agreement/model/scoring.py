"""The section `scoring`: how fit and engagement are counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from shared.agreement.cel.condition import Condition
from shared.agreement.durations import HalfLife
from shared.agreement.model.base import EventType, Hundred, Id, Label, MaxPoints, Points, Section
from shared.documents.limits import AtMost, Between


class FitRule(Section):
    """Points for what is known about the lead."""

    id: Id
    when: Condition = Field(description="CEL over `lead`.")
    points: Points = Field(description="May be negative.")
    label: Label | None = Field(default=None, description="How reps read it; by default the id.")


class Signal(Section):
    """Points for what the lead does."""

    id: Id
    on: EventType = Field(description="The event's type.")
    when: Condition | None = Field(
        default=None, description="CEL over `event`; without it every event of the type counts."
    )
    points: Points = Field(description="May be negative.")
    half_life: Annotated[HalfLife, Between(timedelta(seconds=1), timedelta(days=3650))] = Field(
        default=timedelta(days=14),
        description="The time in which points decay to a half; or `never`.",
    )
    daily_max: MaxPoints | None = Field(
        default=None, gt=0, description="Maximum of undecayed points a UTC day."
    )
    max: MaxPoints | None = Field(
        default=None, gt=0, description="Maximum of decayed points at one instant."
    )
    group: Id | None = Field(default=None, description="One of `groups`, which bounds the sum.")
    label: Label | None = Field(default=None, description="How reps read it; by default the id.")


class Group(Section):
    """A bound on the points of several signals."""

    max: MaxPoints = Field(
        gt=0, description="Maximum of the points of all its signals together at one instant."
    )


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

    fit: Annotated[tuple[FitRule, ...], AtMost(500)] = Field(
        default=(), description="Points for traits, 0 to 100 in all."
    )
    signals: Annotated[tuple[Signal, ...], AtMost(500)] = Field(
        default=(), description="Points for events, which decay, 0 to 100 in all."
    )
    groups: Annotated[dict[Id, Group], AtMost(100)] = Field(
        default_factory=dict, description="Bounds over several signals, by name."
    )
    grades: Grades = Field(default=Grades(), description="How numbers become a grade such as B2.")
