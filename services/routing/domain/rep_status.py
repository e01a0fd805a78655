"""How reps are at one instant: whether they work, whether they are on time off, and what share of leads they got."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.routing.domain.assignment.selection import credit_newcomers, shortfalls
from services.routing.domain.policy import TeamPolicy
from services.routing.domain.roster import RepLoad

HORIZON = timedelta(days=8)
"""Working hours that do not end within so long are shown without an end."""


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """The calendar that counts for a rep, and whether it is open."""

    calendar: str
    open: bool
    until: datetime | None
    """When it closes, or opens; None where it does not close in the next days."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a rep got of the team's leads in the period, beside what is fair by weight."""

    period: str
    assigned: int
    credit: float
    fair: float
    """The rep's part of the weights of the team's active reps, from 0 to 1."""
    real: float | None
    """The rep's part of what these reps got, with credits; None before the first lead."""
    shortfall: float
    """How many leads the rep lacks to the fair share; below 0, how many the rep is ahead."""


@dataclass(frozen=True, slots=True)
class RepStatus:
    """A rep at one instant."""

    load: RepLoad
    hours: WorkingHours
    share: Share | None
    """None for a rep who is not active."""


def rep_statuses(
    loads: Sequence[RepLoad], *, policy: TeamPolicy, now: datetime
) -> Iterator[RepStatus]:
    """The status of each rep of the team."""
    active = credit_newcomers([it for it in loads if it.rep.active])
    shortfall_of = shortfalls(active)
    counted = {it.rep.id: it for it in active}
    weights = sum(it.rep.weight for it in active)
    total = sum(it.share for it in active)
    for load in loads:
        share, own = None, counted.get(load.rep.id)
        if own is not None:
            share = Share(
                policy.period_of(now),
                own.assigned,
                round(own.credit, 6),
                own.rep.weight / weights,
                own.share / total if total else None,
                shortfall_of[load.rep.id],
            )
        yield RepStatus(load, working_hours(load, policy=policy, now=now), share)


def working_hours(load: RepLoad, *, policy: TeamPolicy, now: datetime) -> WorkingHours:
    """The rep's own hours, else the team's, at this instant."""
    hours = policy.hours_of(load.rep)
    calendar = hours.calendar.id
    if not hours.is_open(now):
        return WorkingHours(calendar, open=False, until=hours.next_open(now))
    (_, end), *_ = hours.open_intervals(now, now + HORIZON)
    return WorkingHours(calendar, open=True, until=None if end == now + HORIZON else end)
