"""What the roster can take: the days of teams as routing planned them, and their sum."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from services.alignment.domain.facts import MAX_NAME
from services.alignment.domain.measures import LEADS, Figure
from shared.contracts.payloads import CapacityPlanned
from shared.contracts.payloads.capacity import DAYS_AHEAD

NOT_ANNOUNCED = (
    "routing has announced nothing of these dates: it plans today and the days after it, "
    f"{DAYS_AHEAD} in all, once reps are imported and an agreement is published"
)
BY_TEAM_ONLY = "what the roster can take is known by team, not by {}: leave that out"


class CapacityDay(NamedTuple):
    """What a team can take on a date: its reps who work on it, their limits a day, how many of them have none."""

    on: date
    team: str
    number: int
    reps: int
    leads: int
    unlimited: int


class KnownDates(NamedTuple):
    """How many dates of a period routing has announced something of, the first and the last of them."""

    dates: int
    first: date | None = None
    last: date | None = None


class TeamCapacity(NamedTuple):
    """What a team can take in a period, on so many dates; of reps without a limit the most on one date."""

    team: str
    days: int
    leads: int
    unlimited: int


def latest_days(plans: Iterable[CapacityPlanned]) -> list[CapacityDay]:
    """Each date of each team by the latest of these plans, in the order of their keys."""
    days: dict[tuple[date, str], CapacityDay] = {}
    for plan in sorted(plans, key=lambda it: it.number):
        team = plan.team[:MAX_NAME]
        for day in plan.days:
            days[day.on, team] = CapacityDay(
                day.on, team, plan.number, day.reps, day.leads, day.unlimited
            )
    return [days[it] for it in sorted(days)]


def capacity(first: date, last: date, known: KnownDates, teams: Sequence[TeamCapacity]) -> Figure:
    """Leads that these teams can take from the first to the last date: the sum over dates and teams. Unit: leads.

    It is not known unless routing has announced each date, and each rep who works on one has a limit a day; then it is
    at least the sum of what is known. A team of which nothing was announced on a date that others have was none on
    that date.
    """
    days, leads = sum(it.days for it in teams), sum(it.leads for it in teams)
    unlimited = [it for it in teams if it.unlimited]
    if not known.dates:
        return Figure(None, LEADS, days, NOT_ANNOUNCED)
    if unlimited:
        return Figure(None, LEADS, days, _no_limit(unlimited, leads), leads)
    if known.dates < (last - first).days + 1:
        return Figure(None, LEADS, days, _partly_known(first, last, known, leads), leads)
    return Figure(leads, LEADS, days)


def _no_limit(teams: Sequence[TeamCapacity], leads: int) -> str:
    counts = ", ".join(f"{it.unlimited} or more of team {it.team}" for it in teams[:5])
    return (
        f"reps without a limit a day (`capacity.per_day`): {counts}; the others can take {leads:,}"
    )


def _partly_known(first: date, last: date, known: KnownDates, leads: int) -> str:
    total = (last - first).days + 1
    dates = f"{known.first} to {known.last}"
    return f"{known.dates} of {total} dates are announced, {dates}: on these the roster can take {leads:,}"
