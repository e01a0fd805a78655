"""Leads to reps: who waits, hottest then oldest, one by one under the team's lock."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from services.routing import metrics
from services.routing.domain import notifications
from services.routing.domain.assignment.allocation import BatchAllocator, Choice
from services.routing.domain.assignment.eligibility import Case
from services.routing.domain.assignment.records import Allocation
from services.routing.domain.assignment.selection import (
    with_newcomers,
)
from services.routing.domain.handoff import Handoff, Step, assigned, waiting
from services.routing.domain.notifications import Notification
from services.routing.domain.policy import (
    RuleMatch,
    RuleVerdict,
    TeamPolicy,
)
from services.routing.domain.roster import (
    RepLoad,
)
from services.routing.handlers.assigner import (
    Assigner,
)
from services.routing.queries import allocations, deliveries, endpoints, handoffs, rep_loads
from services.routing.queries.allocations import Assignment
from services.routing.queries.announcing import recording

NOBODY = "nobody_eligible"
PORTION = 200
"""So many who wait are asked for at a time."""
MAX_MOVED = 500
"""Waiting handoffs that one tick brings under a newer agreement."""


class Queued(NamedTuple):
    """A waiting handoff, and what decides about it."""

    handoff: Handoff
    case: Case
    verdicts: tuple[RuleVerdict, ...]
    fresh: bool
    """It has just come, or come back: whatever is decided is news."""
    new: bool
    """It is not kept yet: what becomes of it now is the first that is."""

    @classmethod
    def of(
        cls,
        handoff: Handoff,
        under: RuleMatch,
        *,
        previous_rep: str | None,
        earlier_reps: frozenset[str] = frozenset(),
        fresh: bool = True,
        new: bool = False,
    ) -> Queued:
        """The handoff under its rule, with who had the lead before."""
        return cls(
            handoff,
            Case(under.rule, under.facts, earlier_reps, previous_rep),
            under.verdicts,
            fresh,
            new,
        )


Decided = tuple[Queued, Choice]


def tick(session: Session, now: datetime, *, assigner: Assigner) -> None:
    """Bring who waits under the agreement of today, and look again where somebody may have become eligible."""
    if version := handoffs.oldest_waiting_version(session):
        _rule_again(session, version, assigner=assigner, now=now)
    for team in rep_loads.claim_due_teams(session, now=now):
        place(session, team, (), assigner=assigner, now=now)


def place(
    session: Session,
    team: str,
    fresh: Iterable[Queued],
    *,
    assigner: Assigner,
    now: datetime,
    everybody: bool = True,
) -> None:
    """Give handoffs to who may have them: the fresh ones and everybody who waits in the team, or the fresh ones only.

    The caller holds the team's lock. Who waits is asked for portion by portion, while anybody is free: what frees one
    rep must not cost as much as there are who wait.
    """
    left, reviews = sorted(fresh, key=_turn), []
    known = {it.handoff.id for it in left}
    for waits, last in _waiting(session, team, known, assigner) if everybody else ():
        cut = len(left) if last else bisect_right(left, _turn(waits[-1]), key=_turn)
        review_at, free = _give(session, sorted([*left[:cut], *waits], key=_turn), assigner, now)
        reviews.append(review_at)
        left = left[cut:]
        if not free:
            break
    if left:
        reviews.append(_give(session, left, assigner, now)[0])
    soonest = min((it for it in reviews if it is not None), default=None)
    rep_loads.review_again(session, team, at=soonest, anew=everybody)


def queued(
    session: Session, waits: Sequence[Handoff], *, assigner: Assigner, fresh: bool = False
) -> list[Queued]:
    """Handoffs that wait and are kept, with what decides about each."""
    if not waits:
        return []
    earlier_reps = handoffs.holders_of(session, [it.id for it in waits])
    previous_rep = handoffs.previous_holders(session, [it.lead_id for it in waits])
    return [
        Queued.of(
            it,
            assigner.policies.version(session, it.agreement_version).match(it.lead),
            previous_rep=previous_rep.get(it.lead_id),
            earlier_reps=earlier_reps.get(it.id, frozenset()),
            fresh=fresh,
        )
        for it in waits
    ]


def _turn(it: Queued) -> tuple[int, datetime, UUID]:
    """The hottest first, then the oldest."""
    return it.handoff.tier_rank, it.handoff.qualified_at, it.handoff.id


def _waiting(
    session: Session, team: str, but: Collection[UUID], assigner: Assigner
) -> Iterator[tuple[list[Queued], bool]]:
    """Who waits in the team `but` those, in turn; and whether the portion is the last."""
    after: Handoff | None = None
    last = False
    while not last:
        waits = handoffs.waiting_of(session, team, after=after, limit=PORTION)
        last = len(waits) < PORTION
        after = waits[-1] if waits else None
        if others := [it for it in waits if it.id not in but]:
            yield queued(session, others, assigner=assigner), last


def _give(
    session: Session, queue: Sequence[Queued], assigner: Assigner, now: datetime
) -> tuple[datetime | None, bool]:
    """One round; when to look again at those who got nobody, and whether anybody is free still."""
    # As the newest agreement counts that somebody in the queue is under.
    newest = max((it.handoff for it in queue), key=lambda it: it.agreement_version)
    version = assigner.policies.version(session, newest.agreement_version)
    policy = version.teams[newest.team]
    previous_rep = {it.case.previous_rep for it in queue if it.case.previous_rep}
    roster = assigner.rosters.current(session)
    loads = with_newcomers(
        rep_loads.rep_loads_of(session, roster, policy, also=previous_rep, now=now)
    )

    giving = BatchAllocator(loads, policy=policy, now=now)
    decided = _decided(queue, giving)

    after = giving.after()
    rep_loads.save_rep_loads(
        session, _changed(loads, after), giving.picks(), policy=policy, now=now
    )
    allocation = Allocation(policy.team, now, version.version, loads, giving.picks())
    number = assigner.allocation_records.add_allocation(session, allocation, roster)
    calendars = {it.rep.id: policy.calendar_of(it.rep) for it in loads}
    _Minutes(session, assigner, policy, number, calendars, now).keep(decided)
    _count(decided)
    reviews = (given.review_at for _, given in decided)
    soonest = min((it for it in reviews if it is not None), default=None)
    return soonest, giving.anybody_free()


def _decided(queue: Sequence[Queued], giving: BatchAllocator) -> list[Decided]:
    """One by one. While nobody at all is free, those who waited before are not asked again."""
    decided: list[Decided] = []
    for it in queue:
        if it.fresh or not decided or giving.anybody_free():
            decided.append((it, giving.give(it.case)))
    return decided


def _changed(before: Sequence[RepLoad], after: Sequence[RepLoad]) -> list[RepLoad]:
    """Whose share is another one, or the first of the period."""
    return [now for was, now in zip(before, after, strict=True) if now != was or not now.counted]


@dataclass(frozen=True, slots=True)
class _Minutes:
    """What is written down about a round."""

    session: Session
    assigner: Assigner
    policy: TeamPolicy
    allocation_id: int
    calendars: Mapping[str, str | None]
    now: datetime

    def keep(self, decided: Sequence[Decided]) -> None:
        """Each decision, and each step that it is: those of new handoffs, then those of others."""
        for new in (True, False):
            if part := [(it, given) for it, given in decided if it.new is new]:
                self._keep(part, new=new)

    def _keep(self, decided: Sequence[Decided], *, new: bool) -> None:
        steps = list(self._steps(decided))
        letters = self._letters([it.handoff for it in steps])
        with recording(self.session, steps, new=new):
            assignments = list(self._hops(decided))
            told = list(letters)
        (allocations.add_assignments if new else allocations.save_assignments)(
            self.session, assignments
        )
        if told:
            deliveries.add_first_notifications(self.session, told, now=self.now)

    def _steps(self, decided: Sequence[Decided]) -> Iterator[Step]:
        for it, given in decided:
            if given.picked is not None:
                calendar = self.calendars[given.picked]
                yield assigned(it.handoff, given.picked, calendar=calendar, now=self.now)
            elif it.fresh:
                yield waiting(it.handoff, now=self.now, reason=NOBODY)

    def _hops(self, decided: Sequence[Decided]) -> Iterator[Assignment]:
        """The decisions as they are kept: from the round and the lead each explains itself."""
        period = self.policy.period_of(self.now)
        for it, given in decided:
            held = given.picked is not None
            yield Assignment(
                it.handoff.id,
                it.handoff.hop + 1,
                given.picked,
                period if held else None,
                self.now if held else None,
                self.allocation_id,
                given.place,
                given.by,
                it.case.rule.id,
                it.handoff.agreement_version,
                it.case.previous_rep,
            )

    def _letters(self, given: Sequence[Handoff]) -> Iterator[Notification]:
        """To each rep of each new assignment, to be made later; a rep without an endpoint is not told."""
        endpoint_ids = {notifications.rep_endpoint(it.rep) for it in given if it.rep is not None}
        known = endpoints.known_endpoints(self.session, endpoint_ids)
        told = [it for it in given if it.rep and notifications.rep_endpoint(it.rep) in known]
        versions = {it.agreement_version for it in told}
        agreed = {it: self.assigner.policies.version(self.session, it) for it in versions}
        promises = {
            it: notifications.Promises(agreed[it].agreement, self.policy) for it in versions
        }
        return (
            notifications.assignment(
                it, promises=promises[it.agreement_version], public_url=self.assigner.public_url
            )
            for it in told
        )


def _count(decided: Sequence[Decided]) -> None:
    given = Counter((it.handoff.team, to.by) for it, to in decided if to.picked is not None)
    for labels, times in given.items():
        metrics.ASSIGNMENTS.labels(*labels).inc(times)
    for it, to in decided:
        if to.picked is None and it.fresh:
            metrics.UNASSIGNED.labels(it.handoff.team).inc()


def _rule_again(session: Session, oldest: int, *, assigner: Assigner, now: datetime) -> None:
    """Waiting handoffs follow a newer agreement: perhaps it was published for their sake."""
    current = assigner.policies.current(session)
    if oldest >= current.version:
        return
    older = handoffs.waiting_under_older(session, current.version, limit=MAX_MOVED)
    moved = [current.moved(it) for it in older]
    teams = {it.team for it in (*older, *moved)}
    rep_loads.lock_teams(session, teams)
    still = {it.id for it in handoffs.locked_waiting(session, [it.id for it in moved])}
    handoffs.save_rulings(session, [it for it in moved if it.id in still])
    for team in teams:
        rep_loads.review_again(session, team, at=now, anew=True)
