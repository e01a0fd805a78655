"""Every measure counted by plain loops over the lists of news; it knows nothing of the service."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from math import ceil
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shared.contracts.payloads import Change, ClockChange, HandoffChanged, SlaChanged
from tests.services.alignment.histories import Story

Answer = tuple[float | None, int]
"""A value, and from how many things it is computed."""
ZONES = {"sales": ZoneInfo("UTC"), "emea": ZoneInfo("Europe/Berlin")}


class Facts(NamedTuple):
    """What became of one qualification."""

    story: Story
    team: str
    channel: str
    campaign: str
    source: str
    persona: str
    is_merged: bool
    end: HandoffChanged | None
    assigned_at: datetime | None
    accepted_at: datetime | None
    contacted_at: datetime | None
    rejection: HandoffChanged | None
    attempts: list[datetime]

    @property
    def tier(self) -> str:
        return self.story.lead.tier

    @property
    def at(self) -> datetime:
        return self.story.lead.at

    @property
    def is_rejected(self) -> bool:
        return self.rejection is not None and self.accepted_at is None

    @property
    def is_won(self) -> bool:
        return self.end is not None and self.end.change is Change.WON

    @property
    def is_lost(self) -> bool:
        return self.end is not None and self.end.change is Change.LOST

    @property
    def is_recycled(self) -> bool:
        return self.end is not None and self.end.recycle


Where = Callable[[Facts], bool]


def facts_of(story: Story) -> Facts:
    steps, context = story.steps, story.lead.context
    ends = {Change.WON, Change.LOST, Change.RETURNED}
    end = steps[-1] if steps[-1].change in ends else None
    touches = [
        it
        for it in steps
        if (it.change is Change.CONTACTED and it.touch is not False) or it.change is Change.WON
    ]
    return Facts(
        story=story,
        team=steps[-1].team,
        channel="" if story.touched is None else story.touched.touches[-1].channel,
        campaign=context.last_campaign.get("name", ""),
        source=min(context.sources, default=""),
        persona=context.persona or "",
        is_merged=end is not None and end.reason == "merged",
        end=end,
        assigned_at=_first(
            it for it in steps if it.change in {Change.ASSIGNED, Change.REASSIGNED} and it.rep
        ),
        accepted_at=_first(
            it for it in steps if it.change in {Change.ACCEPTED, Change.CONTACTED, Change.WON}
        ),
        contacted_at=_first(touches),
        rejection=next((it for it in reversed(steps) if it.change is Change.REJECTED), None),
        attempts=[
            it.occurred_at
            for it in steps
            if it.change is Change.CONTACTED and it.attempt is not False
        ],
    )


def _first(steps: Iterable[HandoffChanged]) -> datetime | None:
    return min((it.occurred_at for it in steps), default=None)


def share(part: int, whole: int) -> Answer:
    return (part / whole if whole else None), whole


FINENESS = {
    timedelta(minutes=2): timedelta(seconds=1),
    timedelta(minutes=10): timedelta(seconds=5),
    timedelta(hours=1): timedelta(seconds=30),
    timedelta(hours=6): timedelta(minutes=1),
    timedelta(hours=24): timedelta(minutes=5),
    timedelta(days=7): timedelta(minutes=30),
    timedelta(days=30): timedelta(hours=2),
    timedelta.max: timedelta(days=1),
}


def rounded_up(time: timedelta) -> timedelta:
    fineness = next(step for up_to, step in FINENESS.items() if time <= up_to)
    whole, rest = divmod(max(time, timedelta()), fineness)
    return (whole + bool(rest)) * fineness


def within(times: Sequence[timedelta], p: float) -> Answer:
    ordered = sorted(map(rounded_up, times))
    if not ordered:
        return None, 0
    return ordered[max(ceil(p * len(ordered)), 1) - 1].total_seconds(), len(ordered)


class MeasuredOracle:
    """The measures of stories whose leads qualified from the first to the last date, and for which `where` holds."""

    def __init__(
        self,
        stories: Sequence[Story],
        first: date,
        last: date,
        now: datetime,
        where: Where = lambda _: True,
    ) -> None:
        self.first, self.last, self.now = first, last, now
        self.every = list(map(facts_of, stories))
        self.where = where
        self.all = [it for it in self.every if where(it)]
        self.leads = [it for it in self.all if not it.is_merged and first <= it.at.date() <= last]

    def qualified(self) -> Answer:
        return len(self.leads), len(self.leads)

    def value(self) -> Answer:
        """By the two entries of the agreement: 83.3325 is 83.33."""
        hundredths = [
            8333 if (it.tier, it.team) == ("enterprise", "emea") else 54000 for it in self.leads
        ]
        return sum(hundredths) / 100, len(self.leads)

    def acceptance(self) -> Answer:
        accepted = sum(it.accepted_at is not None for it in self.leads)
        return share(accepted, accepted + sum(it.is_rejected for it in self.leads))

    def rejected(self, reason: str) -> Answer:
        of_reason = [
            it
            for it in self.leads
            if it.is_rejected and it.rejection and (it.rejection.reason or "") == reason
        ]
        return share(len(of_reason), self.acceptance()[1])

    def reasons(self) -> set[str]:
        return {
            it.rejection.reason or ""
            for it in self.leads
            if it.is_rejected and it.rejection is not None
        }

    def complete(self, *names: str) -> Answer:
        traits = [it.story.lead.traits for it in self.leads if it.story.lead.traits is not None]
        return share(sum(all(it[name] for name in names) for it in traits), len(traits))

    def handover(self, p: float) -> Answer:
        times = []
        for lead in self.leads:
            event = lead.story.lead.context.why_now
            begin = lead.at if event is None else event.time
            if lead.assigned_at is not None:
                times.append(lead.assigned_at - begin)
            elif lead.end is None:
                times.append(self.now - begin)
        return within(times, p)

    def attempts(self) -> Answer:
        leads = [it for it in self.leads if it.assigned_at is not None]
        return share(sum(len(it.attempts) for it in leads), len(leads))

    def spread(self, p: float) -> Answer:
        return within(
            [max(it.attempts) - min(it.attempts) for it in self.leads if len(it.attempts) > 1], p
        )

    def untouched(self) -> Answer:
        leads = [
            it for it in self.leads if it.accepted_at and not it.contacted_at and it.end is None
        ]
        return len(leads), len(leads)

    def says_why(self) -> Answer:
        answers = [it.rejection for it in self.leads if it.rejection is not None]
        answers += [it.end for it in self.leads if it.is_lost and it.end is not None]
        return share(sum(it.reason is not None for it in answers), len(answers))

    def win_rate(self, days: int) -> Answer:
        cohort = timedelta(days=days)
        leads = [
            it
            for it in self.all
            if not it.is_merged
            and self.first <= (it.at + cohort).date() <= self.last
            and it.at + cohort < self.now
        ]
        won = [it for it in leads if it.is_won and it.end and it.end.occurred_at - it.at <= cohort]
        return share(len(won), len(leads))

    def times(self, name: str, p: float, *, business: bool) -> Answer:
        laps = []
        for lead in self.leads:
            since, until = {
                "time_to_accept": (lead.at, lead.accepted_at),
                "time_to_contact": (lead.accepted_at, lead.contacted_at),
                "time_to_win": (
                    lead.contacted_at,
                    lead.end.occurred_at if lead.is_won and lead.end else None,
                ),
            }[name]
            if since is not None and until is not None:
                laps.append(working_time(lead.team, since, until) if business else until - since)
        return within(laps, p)

    def recycled(self) -> list[Facts]:
        return [it for it in self.leads if it.is_recycled]

    def again(self, condition: Where) -> Answer:
        """Of the recycled leads those that have a later qualification for which the condition holds."""
        again = [
            it
            for it in self.recycled()
            if any(
                other.story.lead.lead_id == it.story.lead.lead_id
                and other.story.lead.qualification > it.story.lead.qualification
                and not other.is_merged
                and condition(other)
                for other in self.every
            )
        ]
        return share(len(again), len(self.recycled()))

    def attainment(self, policy: str) -> Answer:
        """Of clocks, each of the team that it was about."""
        ends = [
            state
            for it in self.every
            for clock in it.story.clocks
            if clock[0].policy == policy and self.where(it._replace(team=clock[0].team))
            for due_on, state in [end_of(clock)]
            if state is not None and due_on is not None and self.first <= due_on <= self.last
        ]
        return share(ends.count("met"), len(ends))


def end_of(clock: Sequence[SlaChanged]) -> tuple[date | None, str | None]:
    """The last due date of a clock, and whether it is met, broken, or neither."""
    state, due_on = None, None
    for change in clock:
        match change.change:
            case ClockChange.BREACHED:
                state, due_on = "broken", change.due_on
            case ClockChange.RETRACTED:
                state, due_on = None, change.due_on
            case ClockChange.MET:
                state, due_on = "met", change.due_on
    return due_on, state


def working_time(team: str, since: datetime, until: datetime) -> timedelta:
    """The time from nine to five on working days in the zone of the team."""
    zone, total = ZONES[team], timedelta()
    day = since.astimezone(zone).date()
    while day <= until.astimezone(zone).date():
        if day.weekday() < 5:
            opens = datetime(day.year, day.month, day.day, 9, tzinfo=zone)
            closes = datetime(day.year, day.month, day.day, 17, tzinfo=zone)
            total += max(min(until, closes) - max(since, opens), timedelta())
        day += timedelta(days=1)
    return total
