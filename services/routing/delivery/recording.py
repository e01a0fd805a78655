"""How a try ended, kept with what follows from it: announced, told to somebody else, switched off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from services.routing import metrics
from services.routing.domain import notices
from services.routing.domain.handoff import Handoff, Step, step
from services.routing.domain.tries import Delivered, GaveUp, Outcome
from services.routing.queries import deliveries, handoffs
from services.routing.queries.announcing import record
from services.routing.queries.claims import Claimed
from services.routing.queries.deliveries import Attempt
from shared.contracts.payloads import Change

log = structlog.get_logger(__name__)

GONE = "the endpoint answered 410: it wants nothing any more"


def save(session: Session, tried: Claimed, attempt: Attempt, outcome: Outcome) -> None:
    """Keep the try. The handoff is locked before the delivery, as whoever cancels deliveries does."""
    handoff = handoffs.locked_handoff(session, tried.notice.handoff_id)
    kept = deliveries.save_attempt(session, tried.notice.id, attempt, outcome)
    _tell(tried, attempt, outcome)
    match outcome:
        case Delivered() if kept:
            record(session, _delivered(handoff, tried, attempt.at))
        case GaveUp(gone=gone) if kept:
            if gone:
                deliveries.disable_endpoint(
                    session, tried.notice.endpoint, because=GONE, now=attempt.at
                )
            _pass_on(session, tried, handoff, gone=gone, now=attempt.at)


def _delivered(handoff: Handoff | None, tried: Claimed, at: datetime) -> Sequence[Step]:
    """The assignment reached its rep; news only while that rep still has it."""
    current = handoff is not None and handoff.state.held and handoff.hop == tried.notice.hop
    if handoff is None or not current or tried.notice.type != notices.ASSIGNED:
        return ()
    return (step(handoff, Change.DELIVERED, now=at),)


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
