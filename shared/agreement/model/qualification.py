"""The section `qualification`: when a lead becomes a handoff."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from shared.agreement.cel.condition import Condition
from shared.agreement.durations import Duration
from shared.agreement.model.base import EventType, Hundred, Id, Section
from shared.documents.limits import AtMost, Between


class Threshold(Section):
    """The condition by which a lead without a hand-raise qualifies."""

    when: Condition = Field(description="CEL over lead, fit, engagement, grade, hand_raised.")
    rearm_below: Hundred = Field(
        description="Once engagement is below this, the lead may qualify by the threshold again."
    )


class Suppression(Section):
    """Leads that never qualify, and why."""

    id: Id
    when: Condition = Field(description="CEL over lead, fit, engagement, grade, hand_raised.")
    reason: Annotated[str, AtMost(500)] = Field(
        description="Shown where a lead's qualification is explained."
    )


class Tier(Section):
    """A class of handoffs; the first tier whose condition holds."""

    id: Id
    when: Condition = Field(description="As for suppressions; the last `true`.")


class Recycle(Section):
    """How often a lead may come back from sales to marketing."""

    max_cycles: Annotated[int, Between(0, 100)] = Field(
        default=3,
        description="How often a lead may be recycled. The rejection that would recycle it once more disqualifies it.",
    )


class Qualification(Section):
    """When a lead becomes a handoff."""

    hand_raise: Annotated[tuple[EventType, ...], AtMost(100)] = Field(
        default=(), description="Event types that always qualify."
    )
    hand_raise_within: Annotated[Duration, Between(timedelta(minutes=1), timedelta(days=3650))] = (
        Field(
            default=timedelta(days=30),
            description="A hand-raise that happened longer ago than this when it arrives gives points and does not "
            "qualify the lead, such as one from an import of old events.",
        )
    )
    threshold: Threshold | None = Field(
        default=None, description="The condition for leads that raise no hand."
    )
    require: Annotated[tuple[Annotated[str, AtMost(63)], ...], AtMost(50)] = Field(
        default=("email",), description="Traits without which a rep can do nothing."
    )
    suppress: Annotated[tuple[Suppression, ...], AtMost(200)] = Field(
        default=(), description="Who never qualifies; the first that holds is the reason."
    )
    recycle: Recycle = Field(
        default=Recycle(), description="How often a lead may come back from sales to marketing."
    )
    reopened_by: Annotated[tuple[EventType, ...], AtMost(100)] = Field(
        default=(),
        description="Event types that let a lead qualify again which a rep has disqualified. Without one only ops do: "
        "`leadbaton leads reopen`.",
    )
    tiers: Annotated[tuple[Tier, ...], AtMost(50)] = Field(
        min_length=1, description="The last must hold for every lead."
    )
