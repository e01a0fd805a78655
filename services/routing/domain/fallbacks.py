"""When a fallback endpoint is notified of what another endpoint was not: before the accept clock runs out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from services.routing.domain.handoff import Handoff, State
from services.routing.domain.notifications import OPS_ENDPOINT, Notification, team_endpoint

UndeliveredState = Literal["pending", "exhausted"]
"""`pending`: the notification is still attempted. `exhausted`: it is not attempted any more."""


class Undelivered(NamedTuple):
    """A notification that has not reached its endpoint."""

    notification: Notification
    attempts_before: int
    """The attempts before the last redelivery: a redelivery may notify the fallback again."""
    team: str | None
    """The team of its handoff."""

    @property
    def cause(self) -> str:
        """Names what the fallback is notified of: the same cause never notifies it twice."""
        return f"{self.notification.id}/{self.attempts_before}"

    def endpoints_above(self) -> Sequence[str]:
        """The endpoints that may be notified in its place, the nearest first: the team's, then that of ops."""
        order = [*([team_endpoint(self.team)] if self.team else []), OPS_ENDPOINT]
        own = self.notification.endpoint
        return order[order.index(own) + 1 :] if own in order else order


def fallback_time(accept_due_at: datetime | None, *, now: datetime) -> datetime | None:
    """When the fallback is notified of what waits for a hanging or failing endpoint: in half of the time to accept.

    So the fallback has as long as the rep had. None without an accept clock, or where it has run out already: then the
    breach is notified.
    """
    if accept_due_at is None or accept_due_at <= now:
        return None
    return now + (accept_due_at - now) / 2


def is_clock_nearer(
    notification: Notification,
    handoff: Handoff | None,
    *,
    attempted_at: datetime,
    next_attempt_at: datetime,
) -> bool:
    """Whether the accept clock of the notification's hop runs out before the next attempt.

    Not where it had run out before the last attempt, nor where the rep has answered or another one has the handoff.
    """
    due_at = notification.accept_due_at
    return (
        due_at is not None
        and attempted_at < due_at <= next_attempt_at
        and handoff is not None
        and handoff.state is State.ASSIGNED
        and handoff.hop == notification.hop
    )
