"""Handoffs that are to be assigned: those that a batch of qualified leads starts, and those that wait."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.routing.domain.assignment.allocation import Allocation, BatchAllocator, Choice
from services.routing.domain.assignment.eligibility import MatchedLead
from services.routing.domain.assignment.selection import credit_newcomers
from services.routing.domain.handoff import (
    MERGED,
    Handoff,
    State,
    Step,
    assignment_step,
    return_step,
    waiting_step,
    withdrawal_step,
)
from services.routing.domain.history import NO_HISTORY, KnownLeads, LeadHistory
from services.routing.domain.policy import RuleMatch, TeamPolicy
from services.routing.domain.reassignment import Reassignment
from services.routing.domain.roster import RepLoad

NOBODY_ELIGIBLE = "nobody_eligible"


class QueuedHandoff(NamedTuple):
    """A waiting handoff, with what decides which rep gets it."""

    handoff: Handoff
    lead: MatchedLead
    announces_wait: bool
    """Whether it started, or came back, just now: if it has to wait, that is announced too."""
    is_new: bool
    """Whether it is not in the database yet."""
    reassignment: Reassignment | None = None
    """The command of ops that took it from its rep."""

    def under(self, command: Reassignment) -> QueuedHandoff:
        """The handoff as this command of ops has taken it from its rep."""
        lead = self.lead._replace(request=command.request)
        return self._replace(lead=lead, reassignment=command)

    def in_team(self, team: str) -> QueuedHandoff:
        """The handoff as it is assigned in this team."""
        return self._replace(handoff=self.handoff._replace(team=team))

    @property
    def may_go_on(self) -> bool:
        """Whether it is in another team than its rule's, for its owner or previous rep, and may go on to the rule's."""
        return self.handoff.team != self.lead.rule.team

    @property
    def turn(self) -> tuple[int, datetime, UUID]:
        """Sorts by the hottest tier, then the oldest qualification."""
        return self.handoff.tier_rank, self.handoff.qualified_at, self.handoff.id


def queued(
    handoff: Handoff,
    match: RuleMatch,
    *,
    history: LeadHistory = NO_HISTORY,
    earlier_reps: frozenset[str] = frozenset(),
    announces_wait: bool = True,
    is_new: bool = False,
) -> QueuedHandoff:
    """The handoff under the rule that its lead matched.

    One that a rep had to give back goes to nobody who refused the lead before, or broke a promise about it.
    """
    lost_by = history.lost_by - earlier_reps if handoff.hop else frozenset[str]()
    lead = MatchedLead(
        match.rule,
        match.facts,
        earlier_reps,
        history.previous_rep,
        history.refused_by | lost_by,
        owner=match.owner,
    )
    return QueuedHandoff(handoff, lead, announces_wait, is_new)


class Assignment(NamedTuple):
    """The newest decision about a handoff: its next hop, with a rep or with nobody yet."""

    handoff_id: UUID
    hop: int
    rep: str | None
    period: str | None
    """The period in which it counts for the rep."""
    assigned_at: datetime | None
    allocation_id: int
    position: int
    """How many leads of the allocation were assigned before it."""
    strategy: str
    rule: str
    agreement_version: int
    previous_rep: str | None
    refused_by: list[str] | None = None
    """Reps who had returned the person to marketing; None where there are none."""
    owner: str | None = None
    """The rep who owned the account."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """The decisions of an allocation about a queue."""

    allocation: Allocation
    choices: list[tuple[QueuedHandoff, Choice]]
    changed_loads: list[RepLoad]
    """Loads that the allocation changed, and those that were not counted in this period before."""
    steps_of_new: list[Step]
    steps_of_waiting: list[Step]
    leaving: list[QueuedHandoff]
    """Handoffs that go on to their rule's team: nothing was decided about them."""
    anybody_free: bool

    @property
    def steps(self) -> list[Step]:
        """All steps: one for each handoff that got a rep, or whose waiting is announced."""
        return [*self.steps_of_new, *self.steps_of_waiting]

    @property
    def review_at(self) -> datetime | None:
        """When time alone may make somebody eligible for a handoff that waits."""
        instants = (choice.review_at for _, choice in self.choices)
        return min((it for it in instants if it is not None), default=None)

    def assignments(
        self, allocation_id: int, *, period: str
    ) -> tuple[list[Assignment], list[Assignment]]:
        """The decisions about new handoffs, and those about handoffs that waited."""
        new: list[Assignment] = []
        waited: list[Assignment] = []
        for item, choice in self.choices:
            assigned = choice.rep is not None
            (new if item.is_new else waited).append(
                Assignment(
                    item.handoff.id,
                    item.handoff.hop + 1,
                    choice.rep,
                    period if assigned else None,
                    self.allocation.decided_at if assigned else None,
                    allocation_id,
                    choice.position,
                    choice.strategy,
                    item.lead.rule.id,
                    item.handoff.agreement_version,
                    item.lead.previous_rep,
                    sorted(item.lead.refused_by) or None,
                    item.lead.owner,
                )
            )
        return new, waited


def decide(
    queue: Sequence[QueuedHandoff],
    loads: Sequence[RepLoad],
    *,
    team: TeamPolicy,
    version: int,
    now: datetime,
) -> Decisions:
    """Assign the queue one by one. While no rep is free at all, handoffs that waited before are left out.

    `version` is the version of the agreement that `team` is of.
    """
    loads = credit_newcomers(loads)
    allocator = BatchAllocator(loads, policy=team, now=now)
    calendars = {it.rep.id: team.calendar_of(it.rep) for it in loads}
    choices: list[tuple[QueuedHandoff, Choice]] = []
    new, waited, leaving = list[Step](), list[Step](), list[QueuedHandoff]()
    for item in queue:
        is_optional = not (item.announces_wait or item.may_go_on)
        if choices and is_optional and not allocator.anybody_free:
            continue
        choice = allocator.assign(item.lead)
        if choice.leaves_team:
            leaving.append(item.in_team(item.lead.rule.team))
            continue
        choices.append((item, choice))
        steps = new if item.is_new else waited
        steps.extend(_steps_of(item, choice, calendars, now))
    pairs = zip(loads, allocator.loads(), strict=True)
    changed = [load for before, load in pairs if load != before or not load.counted]
    allocation = Allocation(team.team, now, version, loads, allocator.reps)
    return Decisions(allocation, choices, changed, new, waited, leaving, allocator.anybody_free)


def _steps_of(
    item: QueuedHandoff, choice: Choice, calendars: Mapping[str, str | None], now: datetime
) -> Iterator[Step]:
    """The steps that the choice causes: none for a handoff that waited before and still does."""
    command, handoff = item.reassignment, item.handoff
    details = {} if command is None else {"actor": command.actor, "reason": command.reason}
    if choice.rep is not None:
        calendar = calendars[choice.rep]
        yield assignment_step(handoff, choice.rep, calendar=calendar, now=now, **details)
        return
    if command is not None:
        step = withdrawal_step(handoff, now=now, actor=command.actor, reason=command.reason)
        yield step
        handoff = step.handoff
    if item.announces_wait:
        yield waiting_step(handoff, now=now, reason=NOBODY_ELIGIBLE)


class Arrival(NamedTuple):
    """A message about a lead: it may start a handoff or, where it has no match, end one that waits."""

    handoff_id: UUID
    lead_id: UUID
    cause: str
    handoff: Handoff | None = None
    match: RuleMatch | None = None

    @property
    def team_ids(self) -> set[str]:
        """The team in which the handoff begins, and that of its rule."""
        if self.handoff is None or self.match is None:
            return set()
        return {self.handoff.team, self.match.rule.team}


class Intake:
    """What a batch of arrivals starts and ends, in the order of the messages."""

    def __init__(self, known: KnownLeads, waiting: Iterable[Handoff], *, now: datetime) -> None:
        self.started: dict[UUID, QueuedHandoff] = {}
        self.steps_of_new: list[Step] = []
        """Steps of handoffs that start and end in this batch."""
        self.steps_of_waiting: list[Step] = []
        self._now = now
        self._leads = known
        self._known = {it.id for it in known.handoffs}
        self._live = known.live()
        self._waiting = {it.id: it for it in waiting}
        self._histories = known.histories()

    @property
    def steps(self) -> list[Step]:
        """All steps: each ends a handoff."""
        return [*self.steps_of_new, *self.steps_of_waiting]

    def add(self, arrival: Arrival) -> None:
        """Take in one arrival; one that was taken in before changes nothing."""
        if arrival.handoff is not None and arrival.match is not None:
            self._start(arrival.handoff, arrival.match)
        else:
            self._end(arrival)

    def _start(self, handoff: Handoff, match: RuleMatch) -> None:
        """A person who has a live handoff gets no second one: the new one ends as merged."""
        if handoff.id in self._known:
            return
        self._known.add(handoff.id)
        person = self._leads.person(handoff.lead_id)
        live = self._live.get(person)
        if live is not None:
            merged = handoff._replace(merged_into=live)
            self.steps_of_new.append(
                return_step(merged, now=self._now, state=State.MERGED, reason=MERGED)
            )
            return
        self._live[person] = handoff.id
        history = self._histories.get(person, NO_HISTORY)
        self.started[handoff.id] = queued(handoff, match, history=history, is_new=True)

    def _end(self, arrival: Arrival) -> None:
        """A handoff that waits is returned; one that a rep holds stays with the rep."""
        if arrival.handoff_id in self.started:
            handoff, steps = self.started.pop(arrival.handoff_id).handoff, self.steps_of_new
        elif arrival.handoff_id in self._waiting:
            handoff, steps = self._waiting.pop(arrival.handoff_id), self.steps_of_waiting
        else:
            return
        del self._live[self._leads.person(handoff.lead_id)]
        steps.append(return_step(handoff, now=self._now, reason=arrival.cause))
