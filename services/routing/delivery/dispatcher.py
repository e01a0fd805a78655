"""The dispatcher: what the delivery needs, and how it claims deliveries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from ssrfguard import Policy

from services.routing.delivery.links import NO_LINKS, MessageLinks
from services.routing.queries import claims, deliveries
from services.routing.queries.claims import ClaimedDelivery, ClaimLimits, DueDelivery, Lease
from services.routing.queries.endpoints import find_encrypted_secret
from shared.auth.vault import Vault
from shared.clock import TimeSource
from shared.db.outages import ErrorCapture
from shared.db.session import Sessions
from shared.http.outbound import TOTAL_S

log = structlog.get_logger(__name__)

ENDPOINT_LIMIT = 4
"""How many attempts are in flight to one endpoint, so that a dead one does not hold up the others."""
HOST_LIMIT = 32
"""How many attempts are in flight to all endpoints of a host together."""
LEASE = timedelta(seconds=TOTAL_S * 2)
"""How long a claim lasts whose attempt is not recorded, as after a crash of the worker."""
GRACE_S = 6.0
"""How long attempts in flight may take to finish when the process is asked to stop, in seconds."""


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """What the delivery of webhooks needs."""

    sessions: Sessions
    vault: Vault
    destination_policy: Policy
    time_source: TimeSource
    chance: Callable[[], float]
    """Uniform in [0, 1): the jitter."""
    links: MessageLinks = NO_LINKS
    """The links for people that are added to notifications."""
    patience_s: float = TOTAL_S
    """How long one attempt may take, in seconds."""
    grace_s: float = GRACE_S
    name: str | None = None
    """The worker's name across restarts: claims of its earlier run are released."""

    @property
    def lease(self) -> Lease:
        """The lease of the dispatcher's claims."""
        return Lease(LEASE, self.name)


def check_vault(dispatcher: Dispatcher) -> None:
    """Raise BadSecretKey if the key is not the one that secrets were encrypted with."""
    with dispatcher.sessions.begin() as session:
        secret = find_encrypted_secret(session)
    if secret is not None:
        dispatcher.vault.decrypt(secret)


def release_claims(dispatcher: Dispatcher) -> None:
    """Release at once what the worker's earlier run had claimed, instead of waiting for its leases to end."""
    if dispatcher.name is None:
        return
    with dispatcher.sessions.begin() as session:
        freed = claims.release_leases(session, dispatcher.name, now=dispatcher.time_source())
    if freed:
        log.info("claims of an earlier run are released", deliveries=freed)


def claim(
    dispatcher: Dispatcher, attempts: int, *, retries: int | None = None
) -> list[ClaimedDelivery]:
    """Claim up to so many due deliveries in one short transaction; where that fails, one by one."""
    now = dispatcher.time_source()
    retry_limit = attempts if retries is None else retries
    limits = ClaimLimits(
        attempts, retry_limit, endpoint_limit=ENDPOINT_LIMIT, host_limit=HOST_LIMIT
    )
    with ErrorCapture(), dispatcher.sessions.begin() as session:
        return claims.claim_deliveries(session, limits, lease=dispatcher.lease, now=now)
    with dispatcher.sessions() as session:
        due = claims.due_deliveries(session, limits, now=now)
    return [claimed for it in due for claimed in _claim_alone(dispatcher, it, now)]


def _claim_alone(dispatcher: Dispatcher, due: DueDelivery, now: datetime) -> list[ClaimedDelivery]:
    """Claim one delivery; it is exhausted if it cannot be claimed, as it would block every claim."""
    with ErrorCapture() as capture, dispatcher.sessions.begin() as session:
        return claims.take_deliveries(session, [due], lease=dispatcher.lease, now=now)
    log.error(
        "a delivery cannot be claimed, it ends as exhausted",
        delivery=str(due.id),
        error=capture.fault,
    )
    with ErrorCapture(), dispatcher.sessions.begin() as session:
        deliveries.exhaust(session, due.id, now=now)
    return []
