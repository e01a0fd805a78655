"""How a try ended, kept with what follows from it: announced, told to somebody else, switched off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from services.routing import metrics
from services.routing.domain import notices
from services.routing.domain.handoff import Handoff, step
from services.routing.domain.notices import Notice
from services.routing.domain.tries import Delivered, GaveUp, Outcome
from services.routing.queries import deliveries, handoffs
from services.routing.queries.announcing import record
from services.routing.queries.claims import Claimed
from services.routing.queries.deliveries import Attempt
from shared.contracts.payloads import Change

log = structlog.get_logger(__name__)

GONE = "the endpoint answered 410: it wants nothing any more"


@dataclass(frozen=True, slots=True)
class Tried:
    """A try that is over."""

    claimed: Claimed
    attempt: Attempt
    outcome: Outcome


def save(session: Session, ended: Sequence[Tried]) -> None:
    """Keep the tries. Handoffs are locked before deliveries, as whoever cancels deliveries does."""
    held = handoffs.locked_held(session, {it.claimed.notice.handoff_id for it in ended})
    kept = deliveries.save_attempts(
        session, [(it.claimed.notice.id, it.attempt, it.outcome) for it in ended]
    )
    steps = []
    for it in ended:
        _tell(it.claimed, it.attempt, it.outcome)
        if it.claimed.notice.id not in kept:
            continue
        handoff = held.get(it.claimed.notice.handoff_id)
        match it.outcome:
            case Delivered() if handoff is not None and _is_news(handoff, it.claimed.notice):
                steps.append(step(handoff, Change.DELIVERED, now=it.attempt.at))
            case GaveUp(gone=gone):
                _give_up(session, it, gone=gone)
    record(session, steps)


def _is_news(handoff: Handoff, notice: Notice) -> bool:
    """The assignment reached its rep; news only while that rep still has it."""
    return handoff.hop == notice.hop and notice.type == notices.ASSIGNED


def _give_up(session: Session, it: Tried, *, gone: bool) -> None:
    notice, now = it.claimed.notice, it.attempt.at
    if gone:
        deliveries.disable_endpoint(session, notice.endpoint, because=GONE, now=now)
    handoff = handoffs.find_handoff(session, notice.handoff_id)
    _pass_on(session, it.claimed, handoff, gone=gone, now=now)


def _pass_on(
    session: Session, tried: Claimed, handoff: Handoff | None, *, gone: bool, now: datetime
) -> None:
    """What a rep or a team could not be told, the next one up is: team, then ops."""
    teams = [notices.team_endpoint(handoff.team)] if handoff is not None else []
    ladder = [*teams, notices.OPS_ENDPOINT]
    above = (
        ladder[ladder.index(tried.notice.endpoint) + 1 :]
        if tried.notice.endpoint in ladder
        else ladder
    )
    known = deliveries.known_endpoints(session, above)
    told = [(notices.UNDELIVERED, it) for it in above if it in known][:1]
    if gone and notices.OPS_ENDPOINT in known:
        told.append((notices.DISABLED, notices.OPS_ENDPOINT))
    cause = f"{tried.notice.id}/{tried.tried_before}"
    passed_on = [
        notices.undelivered(tried.notice, cause=cause, type=type, endpoint=endpoint, at=now)
        for type, endpoint in told
    ]
    deliveries.add_notices(session, passed_on, now=now)


def _tell(tried: Claimed, attempt: Attempt, outcome: Outcome) -> None:
    name = type(outcome).__name__.lower()
    metrics.TRIES.labels(tried.notice.type, name).inc()
    metrics.TRY_SECONDS.observe(attempt.took_ms / 1000)
    log.info(
        "webhook tried",
        delivery=str(tried.notice.id),
        handoff=str(tried.notice.handoff_id),
        endpoint=tried.notice.endpoint,
        number=attempt.number,
        status=attempt.response.status,
        outcome=name,
        took_ms=round(attempt.took_ms, 1),
    )
