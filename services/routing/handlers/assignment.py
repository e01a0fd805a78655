"""Handoffs start, and are assigned one by one, the hottest tier first, then the oldest."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from services.routing import announcements, metrics
from services.routing.domain.handoff import Handoff, handoff_id
from services.routing.domain.history import NO_HISTORY
from services.routing.domain.policy import RoutingPolicy, TeamPolicy
from services.routing.domain.queue import (
    Arrival,
    Decisions,
    Intake,
    QueuedHandoff,
    decide,
    queued,
)
from services.routing.domain.reassignment import Reassignment
from services.routing.domain.roster import Roster
from services.routing.handlers.applied_terms import due_times_by_version
from services.routing.handlers.assignment_notices import announced_assignments
from services.routing.handlers.owners import matches_with_owners, with_owners
from services.routing.queries import (
    allocations,
    changes,
    deliveries,
    handoffs,
    merges,
    reps,
    teams,
)
from services.routing.queries.allocations import Allocations
from services.routing.queries.known_leads import known_leads
from services.routing.queries.rosters import Rosters
from shared.agreement.store import Policies
from shared.contracts.payloads import LeadQualified, Qualified
from shared.contracts.topic import Message
from shared.messaging import outbox

PAGE_SIZE = 200
"""How many waiting handoffs are loaded at a time."""

_turn = attrgetter("turn")


class Assigner:
    """What assignments need besides the session: policies, rosters, allocations (each loaded once), the public URL."""

    def __init__(self, public_url: str) -> None:
        self.policies, self.public_url = Policies(RoutingPolicy), public_url
        self.rosters = Rosters()
        self.allocations = Allocations(self.rosters)


def on_leads_qualified(
    session: Session,
    messages: Sequence[Message[LeadQualified]],
    now: datetime,
    *,
    assigner: Assigner,
) -> None:
    """Start a handoff for each lead that qualified, end waiting ones whose lead ceased to, and assign what started.

    The teams are locked first, all of them and in order, so that no two batches wait for each other.
    """
    merges.share_lock(session)
    arrivals = with_owners(
        session,
        [_arrival(session, it, assigner) for it in messages],
        policies=assigner.policies,
        rosters=assigner.rosters,
    )
    ending = [it.handoff_id for it in arrivals if it.handoff is None]
    team_ids = {team for it in arrivals for team in it.team_ids}
    team_ids |= handoffs.teams_of(session, ending)
    review_at = teams.lock_teams(session, team_ids)
    known = known_leads(session, {it.lead_id for it in arrivals})
    waiting = handoffs.locked_waiting(session, ending)

    intake = Intake(known, waiting, now=now)
    for arrival in arrivals:
        intake.add(arrival)

    with changes.adding_handoffs(session, intake.steps_of_new):
        records = announcements.handoffs_changed(intake.steps)
    changes.save_handoffs(session, intake.steps_of_waiting)
    changes.add_changes(session, intake.steps)
    deliveries.cancel_waiting(session, [it.handoff.id for it in intake.steps_of_waiting], now=now)
    outbox.append(session, records)
    first = {it.handoff.team for it in intake.started.values() if it.may_go_on}
    for team in sorted(team_ids, key=lambda it: (it not in first, it)):
        started = [it for it in intake.started.values() if it.handoff.team == team]
        drain = (due := review_at[team]) is not None and due <= now
        assign_in_team(session, team, started, assigner=assigner, now=now, drain=drain)


def _arrival(session: Session, message: Message[LeadQualified], assigner: Assigner) -> Arrival:
    lead = message.payload
    if lead.change is Qualified.CEASED:
        id = handoff_id(lead.lead_id, lead.qualification)
        return Arrival(id, lead.lead_id, lead.cause)
    policy = assigner.policies.version(session, lead.agreement_version)
    match = policy.match(lead)
    handoff = policy.new_handoff(message, match.rule)
    return Arrival(handoff.id, lead.lead_id, lead.cause, handoff, match)


def assign_in_team(
    session: Session,
    team: str,
    items: Iterable[QueuedHandoff],
    *,
    assigner: Assigner,
    now: datetime,
    drain: bool = True,
) -> None:
    """Assign these handoffs and, with `drain`, the team's other waiting ones; the caller holds the team's lock.

    Waiting handoffs are loaded page by page while any rep is free, so that the cost of one free rep does not grow with
    the number of handoffs that wait. Handoffs whose owners may not have them go on to their rules' teams; where the
    caller has just taken them from a rep, it has locked these too: see `lock_teams_of`.
    """
    rest = sorted(items, key=_turn)
    ids, decisions = {it.handoff.id for it in rest}, list[Decisions]()
    for page, is_last in _waiting_pages(session, team, ids, assigner) if drain else ():
        cut = len(rest) if is_last else bisect_right(rest, page[-1].turn, key=_turn)
        queue = sorted([*rest[:cut], *page], key=_turn)
        rest = rest[cut:]
        decisions.append(assign_queue(session, queue, assigner=assigner, now=now))
        if not decisions[-1].anybody_free:
            break
    if rest:
        decisions.append(assign_queue(session, rest, assigner=assigner, now=now))
    review_at = min((it.review_at for it in decisions if it.review_at is not None), default=None)
    teams.save_review(session, team, at=review_at, replaces=drain)
    leaving = [it for decision in decisions for it in decision.leaving]
    if leaving:
        _assign_elsewhere(session, team, leaving, assigner=assigner, now=now)


def lock_teams_of(session: Session, held: Iterable[Handoff], *, assigner: Assigner) -> None:
    """Lock the teams of handoffs that are taken from their reps, and those of their rules, to which they may go on."""
    policies = assigner.policies
    team_ids = [policies.version(session, it.agreement_version).teams_of(it) for it in held]
    teams.lock_teams(session, set[str]().union(*team_ids))


def _assign_elsewhere(
    session: Session,
    left: str,
    leaving: Sequence[QueuedHandoff],
    *,
    assigner: Assigner,
    now: datetime,
) -> None:
    """Assign handoffs that leave this team in the teams of their rules.

    Those that waited before go only where nobody else has locked that team, because the caller may wait for no other
    lock; this team is reviewed again for the rest.
    """
    free = teams.lock_free_teams(session, {it.handoff.team for it in leaving})
    going = [it for it in leaving if it.announces_wait or it.handoff.team in free]
    handoffs.save_rulings(session, [it.handoff for it in going if not it.is_new])
    for team in sorted({it.handoff.team for it in going}):
        items = [it for it in going if it.handoff.team == team]
        assign_in_team(session, team, items, assigner=assigner, now=now, drain=False)
    if len(going) < len(leaving):
        teams.save_review(session, left, at=now, replaces=False)


class Proposal(NamedTuple):
    """Decisions that are not saved, with what they were made from."""

    decisions: Decisions
    policies: Mapping[int, RoutingPolicy]
    """The versions of the agreement that the handoffs are under."""
    team: TeamPolicy
    roster: Roster


def propose(
    session: Session, queue: Sequence[QueuedHandoff], *, assigner: Assigner, now: datetime
) -> Proposal:
    """Decide on handoffs of one team in their order, in one allocation, and save nothing.

    The team is counted by the newest version of the agreement that a handoff of the queue is under.
    """
    versions = {it.handoff.agreement_version for it in queue}
    policies = {it: assigner.policies.version(session, it) for it in versions}
    newest = max(queue, key=lambda it: it.handoff.agreement_version).handoff
    team = policies[newest.agreement_version].teams[newest.team]
    roster = assigner.rosters.current(session)
    others = {it.lead.previous_rep for it in queue if it.lead.previous_rep}
    others |= {it.lead.request.rep for it in queue if it.lead.request}
    others |= {it.lead.owner for it in queue if it.lead.owner}
    loads = reps.rep_loads(session, roster, team, also=others, now=now)
    decisions = decide(queue, loads, team=team, version=newest.agreement_version, now=now)
    return Proposal(decisions, policies, team, roster)


def assign_queue(
    session: Session, queue: Sequence[QueuedHandoff], *, assigner: Assigner, now: datetime
) -> Decisions:
    """Assign handoffs of one team in their order, in one allocation; the caller holds the team's lock."""
    decisions, _, team, roster = propose(session, queue, assigner=assigner, now=now)
    if not decisions.choices:
        return decisions

    reps.save_loads(session, decisions.changed_loads, decisions.allocation, team=team)
    allocation_id = assigner.allocations.add_allocation(session, decisions.allocation, roster)
    new, waited = decisions.assignments(allocation_id, period=team.period_of(now))
    announced = announced_assignments(session, decisions.steps)
    versions = due_times_by_version(session, announced, assigner.policies, team)
    changes.save_handoffs(session, decisions.steps_of_waiting)
    with changes.adding_handoffs(session, decisions.steps_of_new):
        # made while PostgreSQL takes in the handoffs, which is faster than one after the other
        records = announcements.handoffs_changed(decisions.steps)
        notifications = announcements.assignment_notifications(
            announced, versions=versions, public_url=assigner.public_url
        )
    changes.add_changes(session, decisions.steps)
    allocations.add_assignments(session, new)
    allocations.save_assignments(session, waited)

    outbox.append(session, records)
    if announced:
        deliveries.add_first_notifications(session, notifications, now=now)
    _count(decisions)
    return decisions


def queue_of(
    session: Session,
    waiting: Sequence[Handoff],
    *,
    assigner: Assigner,
    announces_wait: bool = False,
    command: Reassignment | None = None,
) -> list[QueuedHandoff]:
    """Handoffs that wait, with what decides which reps get them; `command` has taken them from their reps."""
    if not waiting:
        return []
    earlier_reps = allocations.earlier_reps(session, [it.id for it in waiting])
    known = known_leads(session, {it.lead_id for it in waiting})
    histories = known.histories()
    matches = matches_with_owners(
        session, waiting, policies=assigner.policies, rosters=assigner.rosters
    )
    queue = [
        queued(
            it,
            match,
            history=histories.get(known.person(it.lead_id), NO_HISTORY),
            earlier_reps=earlier_reps.get(it.id, frozenset()),
            announces_wait=announces_wait or command is not None,
        )
        for it, match in zip(waiting, matches, strict=True)
    ]
    return queue if command is None else [it.under(command) for it in queue]


def _waiting_pages(
    session: Session, team: str, except_ids: Collection[UUID], assigner: Assigner
) -> Iterator[tuple[list[QueuedHandoff], bool]]:
    """Pages of the team's waiting handoffs, in their turn, except these; and whether each page is the last."""
    after: Handoff | None = None
    is_last = False
    while not is_last:
        waiting = handoffs.waiting_of(session, team, after=after, limit=PAGE_SIZE)
        is_last = len(waiting) < PAGE_SIZE
        after = waiting[-1] if waiting else None
        if others := [it for it in waiting if it.id not in except_ids]:
            yield queue_of(session, others, assigner=assigner), is_last


def _count(decisions: Decisions) -> None:
    assigned = Counter(
        (item.handoff.team, choice.strategy) for item, choice in decisions.choices if choice.rep
    )
    for (team, strategy), leads in assigned.items():
        metrics.ASSIGNMENTS.labels(team, strategy).inc(leads)
    for item, choice in decisions.choices:
        if choice.rep is None and item.announces_wait:
            metrics.UNASSIGNED.labels(item.handoff.team).inc()
