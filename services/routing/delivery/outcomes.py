"""Outcomes of attempts, recorded with what follows: an announcement, a further notification, a disabled endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from services.routing import announcements, metrics
from services.routing.delivery.fallbacks import notify_fallbacks
from services.routing.delivery.finished import FinishedAttempt, move_breakers
from services.routing.domain import notifications
from services.routing.domain.attempts import Delivered, GaveUp, Retry
from services.routing.domain.fallbacks import Undelivered, UndeliveredState, is_clock_nearer
from services.routing.domain.handoff import Handoff, next_step
from services.routing.domain.notifications import Notification
from services.routing.queries import changes, deliveries, endpoints, handoffs
from shared.contracts.payloads import Change
from shared.db.outages import ErrorCapture
from shared.db.session import Sessions
from shared.messaging import outbox

log = structlog.get_logger(__name__)

GONE = "the endpoint answered 410 Gone: it takes no webhooks any more"


def save_outcomes(sessions: Sessions, ended: Sequence[FinishedAttempt]) -> None:
    """Record the attempts in one transaction; where that fails, each half alone, down to the attempt that fails.

    Raises an outage. Some attempts are recorded then, and a second call changes nothing about them.
    """
    if any(it.moves_breakers for it in ended):
        with ErrorCapture(), sessions.begin() as session:
            move_breakers(session, ended)
    _save(sessions, ended)


def _save(sessions: Sessions, ended: Sequence[FinishedAttempt]) -> None:
    """Attempts whose handoffs other transactions have locked follow one by one, each in a transaction of its own."""
    with ErrorCapture() as capture, sessions.begin() as session:
        free, busy = _record(session, ended)
    if capture.error is None:
        _count(free)
        for finished in busy:
            _save(sessions, [finished])
    elif len(ended) > 1:
        middle = len(ended) // 2
        _save(sessions, ended[:middle])
        _save(sessions, ended[middle:])
    else:
        _save_partially(sessions, ended[0], capture.fault)


def _save_partially(sessions: Sessions, finished: FinishedAttempt, error: str) -> None:
    """Record as much of an attempt as possible: without its announcement, or the outcome alone.

    Where neither is possible, the delivery stays pending until the pause that its claim has set is over.
    """
    unrecorded = "announcement"
    for record_part, lacks in ((_record_unannounced, "attempt"), (_record_outcome, "outcome")):
        with ErrorCapture() as capture, sessions.begin() as session:
            record_part(session, finished)
        if capture.error is None:
            break
        unrecorded = lacks
    metrics.UNRECORDED.labels(unrecorded).inc()
    log.error(
        "an attempt cannot be recorded completely",
        **_facts(finished),
        unrecorded=unrecorded,
        error=error,
    )
    _count([finished])


def _record(
    session: Session, ended: Sequence[FinishedAttempt]
) -> tuple[list[FinishedAttempt], list[FinishedAttempt]]:
    """Record the attempts but those whose handoffs other transactions have locked; returns both.

    Handoffs are locked before deliveries, as in every transaction that cancels deliveries.
    """
    handoff_ids = {it.claimed.notification.handoff_id for it in ended}
    held, busy_ids = _lock_held(session, {it for it in handoff_ids if it is not None})
    free = [it for it in ended if it.claimed.notification.handoff_id not in busy_ids]
    busy = [it for it in ended if it.claimed.notification.handoff_id in busy_ids]
    counted = deliveries.save_attempts(session, [it.saved for it in free]) if free else set()
    steps = []
    for finished in free:
        if finished.claimed.notification.id not in counted:
            continue
        handoff_id = finished.claimed.notification.handoff_id
        handoff = None if handoff_id is None else held.get(handoff_id)
        match finished.outcome:
            case Delivered() if handoff is not None and _is_current(
                handoff, finished.claimed.notification
            ):
                steps.append(next_step(handoff, Change.DELIVERED, now=finished.attempt.at))
            case Retry(at=again) if is_clock_nearer(
                finished.claimed.notification,
                handoff,
                attempted_at=finished.attempt.at,
                next_attempt_at=again,
            ):
                _notify_fallback(session, finished, state="pending")
            case GaveUp(gone=gone):
                _give_up(session, finished, gone=gone)
    changes.save_handoffs(session, steps)
    changes.add_changes(session, steps)
    outbox.append(session, announcements.handoffs_changed(steps))
    return free, busy


def _lock_held(session: Session, ids: set[UUID]) -> tuple[dict[UUID, Handoff], set[UUID]]:
    """Those of the handoffs that reps hold, locked, and the ids of those that other transactions have locked.

    One handoff alone is waited for, because nobody waits for another lock of this transaction meanwhile.
    """
    if len(ids) == 1:
        handoff = handoffs.locked_handoff(session, *ids)
        return {handoff.id: handoff} if handoff and handoff.state.held else {}, set()
    held = handoffs.claim_held(session, ids)
    return held, handoffs.held_among(session, ids - held.keys())


def _record_unannounced(session: Session, finished: FinishedAttempt) -> None:
    """Record an attempt whose handoff cannot be read or announced."""
    counted = deliveries.save_attempts(session, [finished.saved])
    if counted and isinstance(finished.outcome, GaveUp):
        _give_up(session, finished, gone=finished.outcome.gone)


def _record_outcome(session: Session, finished: FinishedAttempt) -> None:
    deliveries.save_outcomes(session, [finished.saved])


def _is_current(handoff: Handoff, notification: Notification) -> bool:
    """Whether the notification is about the handoff's current assignment: only that is announced as delivered."""
    return handoff.hop == notification.hop and notification.type == notifications.ASSIGNED


def _give_up(session: Session, finished: FinishedAttempt, *, gone: bool) -> None:
    """Notify the fallback of what could not be delivered; with `gone`, disable the endpoint and notify ops of that."""
    notification, now = finished.claimed.notification, finished.attempt.at
    if gone:
        endpoints.disable_endpoint(session, notification.endpoint, reason=GONE, now=now)
    undelivered = _notify_fallback(session, finished, state="exhausted")
    if gone and undelivered.notification.endpoint != notifications.OPS_ENDPOINT:
        disabled = notifications.disabled(notification, cause=undelivered.cause, at=now)
        deliveries.add_notifications(session, [disabled], now=now)


def _notify_fallback(
    session: Session, finished: FinishedAttempt, *, state: UndeliveredState
) -> Undelivered:
    """Notify the next endpoint above, unless it was before."""
    notification = finished.claimed.notification
    handoff_id = notification.handoff_id
    teams = handoffs.teams_of(session, [] if handoff_id is None else [handoff_id])
    team = next(iter(teams), None)
    undelivered = Undelivered(notification, finished.claimed.attempts_before, team)
    notify_fallbacks(session, [undelivered], state=state, now=finished.attempt.at)
    return undelivered


def _count(ended: Sequence[FinishedAttempt]) -> None:
    for finished in ended:
        outcome = type(finished.outcome).__name__.lower()
        metrics.ATTEMPTS.labels(finished.claimed.notification.type, outcome).inc()
        metrics.ATTEMPT_SECONDS.observe(finished.attempt.took_ms / 1000)
        log.info("webhook attempted", **_facts(finished), outcome=outcome)


def _facts(finished: FinishedAttempt) -> dict[str, str | int | float | None]:
    """The fields that log lines have of an attempt."""
    return {
        "delivery": str(finished.claimed.notification.id),
        "handoff": str(finished.claimed.notification.handoff_id or ""),
        "endpoint": finished.claimed.notification.endpoint,
        "number": finished.attempt.number,
        "status": finished.attempt.response.status,
        "took_ms": round(finished.attempt.took_ms, 1),
    }
