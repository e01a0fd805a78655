"""Leads to reps: who waits, hottest then oldest, one by one under the team's lock."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.routing import metrics
from services.routing.domain import notices, picking
from services.routing.domain.desk import Desk, Standing
from services.routing.domain.eligibility import Case
from services.routing.domain.handoff import Handoff, Step, assigned, waiting
from services.routing.domain.picking import Decision, RuleVerdict
from services.routing.handlers.office import Office, desk_of, facts_of, moved_under, ruled
from services.routing.queries import bench, deliveries, handoffs
from services.routing.queries.announcing import record

NOBODY = "nobody_eligible"
MOST_MOVED = 500
"""Waiting handoffs that one tick brings under a newer agreement."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A waiting handoff, and what decides about it."""

    handoff: Handoff
    case: Case
    verdicts: tuple[RuleVerdict, ...]
    fresh: bool
    """It has just come, or come back: whatever is decided is news."""


Decided = tuple[Queued, Decision]


def tick(session: Session, now: datetime, *, office: Office) -> None:
    """Bring who waits under the agreement of today, and look again where somebody may have become eligible."""
    if version := handoffs.oldest_waiting_version(session):
        _rule_again(session, version, office=office, now=now)
    for team in bench.claim_due_teams(session, now=now):
        place(session, team, office=office, now=now, everybody=True)


def place(
    session: Session,
    team: str,
    *,
    office: Office,
    now: datetime,
    fresh: Collection[UUID] = (),
    everybody: bool = False,
) -> None:
    """Give waiting handoffs to who may have them: the fresh ones, or everybody's. The caller holds the team's lock."""
    queue = handoffs.waiting_of(session, team, only=None if everybody else fresh)
    review_at = None
    if queue:
        desk = _desk(session, queue, office)
        queued = _queued(session, queue, office, fresh)
        standings = picking.with_newcomers(_standings(session, queued, desk, now))
        decided, after, review_at = _decided(queued, standings, desk, now)
        bench.save_standings(session, after, desk=desk, now=now)
        _keep(session, decided, desk=desk, office=office, now=now)
    bench.review_again(session, team, at=review_at, anew=everybody)


def _desk(session: Session, queue: Sequence[Handoff], office: Office) -> Desk:
    """As the newest agreement counts that somebody in the queue is under."""
    newest = max(queue, key=lambda it: it.agreement_version)
    published = office.agreements.version(session, newest.agreement_version)
    return desk_of(newest.team, published.agreement)


def _queued(
    session: Session, queue: Sequence[Handoff], office: Office, fresh: Collection[UUID]
) -> list[Queued]:
    had_by = handoffs.holders_of(session, [it.id for it in queue])
    previous = handoffs.previous_holders(session, [it.lead_id for it in queue])

    def queued(it: Handoff) -> Queued:
        published = office.agreements.version(session, it.agreement_version)
        rule, verdicts = ruled(it.lead, published)
        facts = facts_of(it.lead, published.agreement)
        case = Case(rule, facts, had_by.get(it.id, frozenset()), previous.get(it.lead_id))
        return Queued(it, case, verdicts, it.id in fresh)

    return [queued(it) for it in queue]


def _standings(
    session: Session, queued: Sequence[Queued], desk: Desk, now: datetime
) -> list[Standing]:
    previous = {it.case.previous for it in queued if it.case.previous}
    return bench.standings_of(session, desk, also=previous, now=now)


def _decided(
    queued: Sequence[Queued], standings: list[Standing], desk: Desk, now: datetime
) -> tuple[list[Decided], list[Standing], datetime | None]:
    """Pick one by one. While nobody at all is free, those who waited before are not asked again."""
    decided: list[Decided] = []
    reviews: list[datetime | None] = []
    free = True
    for it in queued:
        if not (free or it.fresh):
            continue
        decision = picking.pick(it.case, standings, desk=desk, now=now)
        decided.append((it, decision))
        if decision.picked is not None:
            standings = picking.given(standings, decision.picked, desk=desk, now=now)
            continue
        reviews.append(decision.reviewed_at())
        free = picking.anybody_free(standings, desk=desk, now=now)
    return decided, standings, min((it for it in reviews if it is not None), default=None)


def _keep(
    session: Session, decided: Sequence[Decided], *, desk: Desk, office: Office, now: datetime
) -> None:
    holders = {
        it.id: it for it in bench.reps_by_id(session, {d.picked for _, d in decided if d.picked})
    }
    steps: list[Step] = []
    for it, decision in decided:
        if decision.picked is not None:
            calendar = desk.calendar_of(holders[decision.picked])
            steps.append(assigned(it.handoff, decision.picked, calendar=calendar, now=now))
        elif it.fresh:
            steps.append(waiting(it.handoff, now=now, reason=NOBODY))
    handoffs.save_decisions(session, [_hop(*it, desk=desk, now=now) for it in decided])
    record(session, steps)
    _tell(session, [it.handoff for it in steps if it.handoff.rep], desk, office, now)
    _count(decided)


def _tell(
    session: Session, given: Sequence[Handoff], desk: Desk, office: Office, now: datetime
) -> None:
    """Each rep of each new assignment."""
    told = [
        notices.assignment(
            it,
            agreement=office.agreements.version(session, it.agreement_version).agreement,
            desk=desk,
            public_url=office.public_url,
        )
        for it in given
    ]
    deliveries.add_notices(session, told, now=now)


def _count(decided: Sequence[Decided]) -> None:
    for it, decision in decided:
        if decision.picked is not None:
            metrics.ASSIGNMENTS.labels(it.handoff.team, decision.by).inc()
        elif it.fresh:
            metrics.UNPLACED.labels(it.handoff.team).inc()


def _hop(it: Queued, decision: Decision, *, desk: Desk, now: datetime) -> dict[str, Any]:
    """The decision as it is kept: whatever it was made from, so that it explains itself."""
    given = decision.picked is not None
    return {
        "handoff_id": it.handoff.id,
        "hop": it.handoff.hop + 1,
        "rep": decision.picked,
        "period": desk.period_of(now) if given else None,
        "assigned_at": now if given else None,
        "decision": {
            "decided_at": now.isoformat(),
            "waited_s": round((now - it.handoff.qualified_at).total_seconds(), 3),
            "agreement_version": it.handoff.agreement_version,
            "facts": dict(it.case.facts),
            "rules": [asdict(verdict) for verdict in it.verdicts],
            "rule": it.case.rule.id,
            "team": desk.team,
            "period": desk.period_of(now),
            "previous_rep": it.case.previous,
            "picked": decision.picked,
            "by": decision.by,
            "candidates": [_candidate(one) for one in decision.candidates],
        },
    }


def _candidate(one: picking.Candidate) -> dict[str, Any]:
    told = asdict(one)
    told["excluded"] = [
        {
            "why": it.why.value,
            "said": it.said,
            "until": it.until.isoformat() if it.until else None,
        }
        for it in one.excluded
    ]
    return told


def _rule_again(session: Session, oldest: int, *, office: Office, now: datetime) -> None:
    """Waiting handoffs follow a newer agreement: perhaps it was published for their sake."""
    current = office.agreements.current(session)
    if oldest >= current.version:
        return
    older = handoffs.waiting_under_older(session, current.version, most=MOST_MOVED)
    moved = [moved_under(it, current) for it in older]
    teams = {it.team for it in (*older, *moved)}
    bench.lock_teams(session, teams)
    still = {it.id for it in handoffs.locked_waiting(session, [it.id for it in moved])}
    handoffs.save_rulings(session, [it for it in moved if it.id in still])
    for team in teams:
        bench.review_again(session, team, at=now, anew=True)
