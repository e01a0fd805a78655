"""Of the topic `capacity.planned`: how many leads a team can take on each of the next dates."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from msgspec import Meta

from shared.contracts.codec import Instant, Payload, always_encoded

DAYS_AHEAD = 100
"""So many dates are planned, today among them: a quarter and a week."""


class CapacityDay(Payload, frozen=True, kw_only=True, gc=False):
    """What the reps of a team can take on one date."""

    on: Annotated[date, Meta(description="By the wall clock of each rep's working hours.")]
    reps: Annotated[int, Meta(ge=0, description="Who work on it.")]
    leads: Annotated[int, Meta(ge=0, description="The sum of the limits a day of these reps.")]
    unlimited: Annotated[
        int, Meta(ge=0, description="How many of these reps have no limit a day.")
    ] = always_encoded(default=0)


class CapacityPlanned(Payload, frozen=True, kw_only=True):
    """What a team can take from a date on, whenever that has changed, and once a day; without personal data."""

    team: str
    number: Annotated[
        int,
        Meta(ge=1, description="Counts the team's plans; of each date the latest plan counts."),
    ]
    planned_at: Instant
    agreement_version: Annotated[int, Meta(description="Whose calendars were read.")]
    days: Annotated[
        tuple[CapacityDay, ...],
        Meta(description="The date of `planned_at` in UTC, and the 99 dates after it."),
    ]
