"""Finished attempts, and what they say about the endpoints and hosts that they went to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.routing.domain.attempts import Delivered, GaveUp, Outcome, asked_pause
from services.routing.queries import breakers
from services.routing.queries.breakers import Failures, Hang, host_breaker
from services.routing.queries.claims import ClaimedDelivery
from services.routing.queries.deliveries import Attempt


@dataclass(frozen=True, slots=True)
class FinishedAttempt:
    """An attempt that is over."""

    claimed: ClaimedDelivery
    attempt: Attempt
    outcome: Outcome
    hang: Hang | None = None
    """The endpoint and host that hang, if neither answered."""

    @property
    def saved(self) -> tuple[UUID, Attempt, Outcome]:
        """What is recorded with its delivery."""
        return self.claimed.notification.id, self.attempt, self.outcome

    @property
    def endpoint(self) -> str:
        """The id of the endpoint that it went to."""
        return self.claimed.notification.endpoint

    @property
    def has_failed(self) -> bool:
        """Whether it counts as a failure of the endpoint: not a hang, nor where the endpoint is disabled, or is now."""
        is_failure = self.hang is None and not isinstance(self.outcome, Delivered)
        return is_failure and not self.claimed.disabled and self.outcome != GaveUp(gone=True)

    @property
    def moves_breakers(self) -> bool:
        """Whether a breaker opens, closes or counts after it; with most attempts none does."""
        claimed = self.claimed
        return bool(self.hang or claimed.probes or claimed.has_failures or self.has_failed)

    @property
    def probes_of_host(self) -> frozenset[str]:
        """The host's breaker, if it is open and allowed this attempt."""
        return self.claimed.probes & {host_breaker(self.claimed.host)}

    def closed_breakers(self) -> frozenset[str]:
        """The breakers that close after it: all that allowed it after a success, the host's after any answer."""
        if self.attempt.response.status is None:
            return self.probes_of_host if self.hang and self.hang.host_answers else frozenset()
        if self.has_failed:
            return self.probes_of_host
        return self.claimed.probes | ({self.endpoint} if self.claimed.has_failures else set())


def move_breakers(session: Session, ended: Sequence[FinishedAttempt]) -> None:
    """Open the breakers of what hangs or fails, close those of what answers again.

    The probe of a host whose attempt failed at once is free again: another of its endpoints may answer.
    """
    now = max(it.attempt.ended_at for it in ended)
    closed = frozenset[str]().union(*(it.closed_breakers() for it in ended))
    quick_failures = [it for it in ended if it.attempt.response.status is None and it.hang is None]
    free = frozenset[str]().union(*(it.probes_of_host for it in quick_failures))
    if closed:
        breakers.close_breakers(session, closed)
    if free - closed:
        breakers.free_probes(session, free - closed, now=now)
    breakers.count_failures(session, list(_failures(ended, now=now)), now=now)
    breakers.open_breakers(session, [it.hang for it in ended if it.hang is not None], now=now)


def _failures(ended: Sequence[FinishedAttempt], *, now: datetime) -> Iterator[Failures]:
    """The failures of each endpoint that took nothing meanwhile."""
    successful = {it.endpoint for it in ended if isinstance(it.outcome, Delivered)}
    by_endpoint = defaultdict[str, list[FinishedAttempt]](list)
    for attempt in ended:
        if attempt.has_failed and attempt.endpoint not in successful:
            by_endpoint[attempt.endpoint].append(attempt)
    for endpoint, failed in by_endpoint.items():
        pause = max(asked_pause(it.attempt.response, now=now) for it in failed)
        yield Failures(endpoint, len(failed), now + pause)
