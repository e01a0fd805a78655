"""How a try ended, recorded with what follows from it: announced, told to somebody else, switched off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from services.routing import announcements, metrics
from services.routing.domain import notifications
from services.routing.domain.attempts import Delivered, GaveUp, Outcome
from services.routing.domain.handoff import Handoff, step
from services.routing.domain.notifications import Notification
from services.routing.queries import breakers, changes, deliveries, endpoints, handoffs
from services.routing.queries.breakers import Hang, host_breaker
from services.routing.queries.claims import Claimed
from services.routing.queries.deliveries import Attempt
from shared.contracts.payloads import Change
from shared.db.outages import ErrorCapture
from shared.db.session import Sessions
from shared.messaging import outbox

log = structlog.get_logger(__name__)

GONE = "the endpoint answered 410: it wants nothing any more"


@dataclass(frozen=True, slots=True)
class Tried:
    """A try that is over."""

    claimed: Claimed
    attempt: Attempt
    outcome: Outcome
    hang: Hang | None = None
    """Who hangs, if nobody answered it."""

    @property
    def saved(self) -> tuple[UUID, Attempt, Outcome]:
        """What of it is recorded with its delivery."""
        return self.claimed.notification.id, self.attempt, self.outcome


def save(sessions: Sessions, ended: Sequence[Tried]) -> None:
    """Record how the tries ended, all in one transaction; where that fails, halve them until what fails is alone.

    Raises what is an outage: then some are recorded, and recording them again changes nothing.
    """
    if any(it.hang or it.claimed.probes for it in ended):
        with ErrorCapture(), sessions.begin() as session:
            _move_breakers(session, ended)
    _save(sessions, ended)


def _move_breakers(session: Session, ended: Sequence[Tried]) -> None:
    """Open those of who hangs, close those of who answers, and let the next through where a try failed at once."""
    answered, failed, hangs = set[str](), set[str](), []
    for it in ended:
        if it.attempt.response.status is not None:
            answered |= it.claimed.probes
        elif it.hang is None:
            failed |= it.claimed.probes
        else:
            hangs.append(it.hang)
            answered |= it.claimed.probes & (
                {host_breaker(it.hang.host)} if it.hang.host_answers else set()
            )
    now = max(it.attempt.ended_at for it in ended)
    if answered:
        breakers.close_breakers(session, answered)
    if failed - answered:
        breakers.free_probes(session, failed - answered, now=now)
    breakers.open_breakers(session, hangs, now=now)


def _save(sessions: Sessions, ended: Sequence[Tried]) -> None:
    with ErrorCapture() as capture, sessions.begin() as session:
        _record(session, ended)
    if capture.error is None:
        _count(ended)
    elif len(ended) > 1:
        middle = len(ended) // 2
        _save(sessions, ended[:middle])
        _save(sessions, ended[middle:])
    else:
        _save_less(sessions, ended[0], capture.fault)


def _save_less(sessions: Sessions, tried: Tried, error: str) -> None:
    """Record as much of a try as can be: without its handoff, or the outcome alone.

    Where not even that is possible the webhook is pending until its pause is over, as its claim has set it.
    """
    unrecorded = "announcement"
    for record_part, lacks in ((_record_unannounced, "attempt"), (_record_outcome, "outcome")):
        with ErrorCapture() as capture, sessions.begin() as session:
            record_part(session, tried)
        if capture.error is None:
            break
        unrecorded = lacks
    metrics.UNRECORDED.labels(unrecorded).inc()
    log.error(
        "a try cannot be recorded whole",
        **_facts(tried),
        unrecorded=unrecorded,
        error=error,
    )
    _count([tried])


def _record(session: Session, ended: Sequence[Tried]) -> None:
    """Handoffs are locked before deliveries, as whoever cancels deliveries does."""
    held = handoffs.locked_held(session, {it.claimed.notification.handoff_id for it in ended})
    counted = deliveries.save_attempts(session, [it.saved for it in ended])
    steps = []
    for it in ended:
        if it.claimed.notification.id not in counted:
            continue
        handoff = held.get(it.claimed.notification.handoff_id)
        match it.outcome:
            case Delivered() if handoff is not None and _is_news(handoff, it.claimed.notification):
                steps.append(step(handoff, Change.DELIVERED, now=it.attempt.at))
            case GaveUp(gone=gone):
                _give_up(session, it, gone=gone)
    changes.save_handoffs(session, steps)
    changes.add_changes(session, steps)
    outbox.append(session, announcements.handoffs_changed(steps))


def _record_unannounced(session: Session, tried: Tried) -> None:
    """The same for a try whose handoff cannot be read or announced."""
    counted = deliveries.save_attempts(session, [tried.saved])
    if counted and isinstance(tried.outcome, GaveUp):
        _give_up(session, tried, gone=tried.outcome.gone)


def _record_outcome(session: Session, tried: Tried) -> None:
    deliveries.save_outcomes(session, [tried.saved])


def _is_news(handoff: Handoff, notification: Notification) -> bool:
    """The assignment reached its rep; news only while that rep still has it."""
    return handoff.hop == notification.hop and notification.type == notifications.ASSIGNED


def _give_up(session: Session, it: Tried, *, gone: bool) -> None:
    """What a rep or a team could not be told, the next one up is: team, then ops."""
    notification, now = it.claimed.notification, it.attempt.at
    if gone:
        endpoints.disable_endpoint(session, notification.endpoint, reason=GONE, now=now)
    teams = handoffs.teams_of(session, [notification.handoff_id])
    ladder = [*map(notifications.team_endpoint, teams), notifications.OPS_ENDPOINT]
    above = (
        ladder[ladder.index(notification.endpoint) + 1 :]
        if notification.endpoint in ladder
        else ladder
    )
    known = endpoints.known_endpoints(session, above)
    told = [(notifications.UNDELIVERED, it) for it in above if it in known][:1]
    if gone and notifications.OPS_ENDPOINT in known:
        told.append((notifications.DISABLED, notifications.OPS_ENDPOINT))
    cause = f"{notification.id}/{it.claimed.attempts_before}"
    passed_on = [
        notifications.undelivered(notification, cause=cause, type=type, endpoint=endpoint, at=now)
        for type, endpoint in told
    ]
    deliveries.add_notifications(session, passed_on, now=now)


def _count(ended: Sequence[Tried]) -> None:
    for it in ended:
        outcome = type(it.outcome).__name__.lower()
        metrics.ATTEMPTS.labels(it.claimed.notification.type, outcome).inc()
        metrics.ATTEMPT_SECONDS.observe(it.attempt.took_ms / 1000)
        log.info("webhook tried", **_facts(it), outcome=outcome)


def _facts(it: Tried) -> dict[str, str | int | float | None]:
    """What log lines say of a try."""
    return {
        "delivery": str(it.claimed.notification.id),
        "handoff": str(it.claimed.notification.handoff_id),
        "endpoint": it.claimed.notification.endpoint,
        "number": it.attempt.number,
        "status": it.attempt.response.status,
        "took_ms": round(it.attempt.took_ms, 1),
    }
