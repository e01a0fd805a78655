"""What each team can take on each of the next dates, by the limits a day of its reps who work on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

from services.routing.domain.policy import RoutingPolicy
from services.routing.domain.roster import Absence, Rep, Roster
from shared.calendar import CompiledCalendar
from shared.contracts.payloads.capacity import DAYS_AHEAD

DAY = timedelta(days=1)

Interval = tuple[datetime, datetime]


class DayCapacity(NamedTuple):
    """The reps of a team who work on a date, the sum of their limits a day, and how many of them have none."""

    on: date
    reps: int = 0
    leads: int = 0
    unlimited: int = 0


class CapacityPlan(NamedTuple):
    """What a team can take on each date from one on; plans of a team are counted from 1."""

    team: str
    number: int
    days: tuple[DayCapacity, ...]

    def from_date(self, first: date) -> tuple[DayCapacity, ...]:
        """The part of the plan from this date on."""
        return tuple(it for it in self.days if it.on >= first)


def new_plans(
    before: Mapping[str, CapacityPlan], roster: Roster, policy: RoutingPolicy, first: date
) -> list[CapacityPlan]:
    """The plans of the teams, from this date on, that are not as they were `before`.

    A team that is no longer in the agreement has a last plan, by which it can take nothing.
    """
    days = capacity_by_team(roster, policy, first)
    nothing = tuple(map(DayCapacity, _dates(first)))
    for team, plan in before.items():
        if any(it.reps for it in plan.from_date(first)):
            days.setdefault(team, nothing)
    plans = []
    for team in sorted(days):
        plan = before.get(team, CapacityPlan(team, 0, ()))
        if plan.from_date(first) != days[team]:
            plans.append(CapacityPlan(team, plan.number + 1, days[team]))
    return plans


def capacity_by_team(
    roster: Roster, policy: RoutingPolicy, first: date
) -> dict[str, tuple[DayCapacity, ...]]:
    """What each team of the agreement can take on each of DAYS_AHEAD dates.

    A rep counts in the rep's team alone, with the limit a day, on each date on which the rep works.
    """
    hours = _HoursByDate(_dates(first))
    working: dict[str, list[tuple[Rep, Set[date]]]] = {it: [] for it in policy.teams}
    for rep in roster.reps.values():
        if rep.active and rep.team in working:
            calendar = policy.teams[rep.team].hours_of(rep)
            working[rep.team].append((rep, hours.working_dates(rep, calendar)))
    return {team: tuple(_day_capacities(hours.dates, reps)) for team, reps in working.items()}


def _dates(first: date) -> list[date]:
    return [first + number * DAY for number in range(DAYS_AHEAD)]


def _day_capacities(
    dates: Sequence[date], reps: Sequence[tuple[Rep, Set[date]]]
) -> Iterator[DayCapacity]:
    for day in dates:
        limits = [rep.per_day_limit for rep, working in reps if day in working]
        yield DayCapacity(
            day, len(limits), sum(it for it in limits if it is not None), limits.count(None)
        )


class _HoursByDate:
    """The open intervals of calendars on some dates that follow each other, by each calendar's wall clock."""

    def __init__(self, dates: Sequence[date]) -> None:
        self.dates = dates
        self._hours: dict[CompiledCalendar, dict[date, list[Interval]]] = {}

    def working_dates(self, rep: Rep, calendar: CompiledCalendar) -> Set[date]:
        """The dates on which the rep works: time off leaves some of the calendar's hours of the date."""
        hours = self._hours.get(calendar)
        if hours is None:
            hours = self._hours[calendar] = _hours_by_date(calendar, self.dates)
        if not rep.time_off:
            return hours.keys()
        time_off = sorted(rep.time_off, key=lambda it: it.since)
        near = {day for absence in time_off for day in self._dates_near(absence) if day in hours}
        return hours.keys() - {day for day in near if not _is_left(hours[day], time_off)}

    def _dates_near(self, absence: Absence) -> Sequence[date]:
        """The dates that time off may touch, in whatever zone: from a day before it to a day after it."""
        first = self.dates[0]
        since, until = (it.astimezone(UTC).date() for it in (absence.since, absence.until))
        return self.dates[max((since - first).days - 1, 0) : max((until - first).days + 2, 0)]


def _hours_by_date(calendar: CompiledCalendar, dates: Sequence[date]) -> dict[date, list[Interval]]:
    """The open intervals of each date that has some; those that last beyond midnight are cut there."""
    zone = ZoneInfo(calendar.calendar.zone)
    bounds = [_midnight(it, zone) for it in (*dates, dates[-1] + DAY)]
    intervals = calendar.open_intervals(bounds[0], bounds[-1])
    parts = [
        (day, (max(since, begin), min(until, end)))
        for since, until in intervals
        for day, begin, end in zip(dates, bounds, bounds[1:], strict=False)
        if since < end and until > begin
    ]
    return {
        day: [interval for _, interval in group]
        for day, group in groupby(parts, key=lambda it: it[0])
    }


def _is_left(intervals: Sequence[Interval], time_off: Sequence[Absence]) -> bool:
    """Whether time off, in order, covers not all of the intervals."""
    return any(_uncovered(since, until, time_off) < until for since, until in intervals)


def _uncovered(since: datetime, until: datetime, time_off: Sequence[Absence]) -> datetime:
    """The first instant of the interval that no time off covers; its end or later if there is none."""
    for absence in time_off:
        if absence.since > since or since >= until:
            break
        since = max(since, absence.until)
    return since


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
