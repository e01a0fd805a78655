"""What delivering needs, and how it claims deliveries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from ssrfguard import Policy

from services.routing.queries import claims, deliveries
from services.routing.queries.claims import ClaimedDelivery, ClaimLimits, Due, Lease
from services.routing.queries.endpoints import an_encrypted_secret
from shared.auth.vault import Vault
from shared.clock import TimeSource
from shared.db.outages import ErrorCapture
from shared.db.session import Sessions
from shared.http.outbound import TOTAL_S

log = structlog.get_logger(__name__)

ENDPOINT_LIMIT = 4
"""How many attempts are in flight to one endpoint: a dead one holds up only its own."""
HOST_LIMIT = 32
"""How many attempts are in flight to all endpoints of a host together."""
LEASE = timedelta(seconds=TOTAL_S * 2)
"""After this a claim ends whose attempt is not recorded: the worker may have crashed."""
GRACE_S = 6.0
"""How long attempts in flight get to finish when the process is asked to stop; then their leases end."""


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """What delivering needs."""

    sessions: Sessions
    vault: Vault
    destination_policy: Policy
    time_source: TimeSource
    chance: Callable[[], float]
    """Uniform in [0, 1): the jitter."""
    patience_s: float = TOTAL_S
    """How long one attempt may take."""
    grace_s: float = GRACE_S
    name: str | None = None
    """The worker's name across restarts: claims of its earlier run are released."""

    @property
    def lease(self) -> Lease:
        """The lease of its claims."""
        return Lease(LEASE, self.name)


def check_vault(dispatcher: Dispatcher) -> None:
    """Raise BadSecretKey if the key is not the one that secrets were encrypted with."""
    with dispatcher.sessions.begin() as session:
        secret = an_encrypted_secret(session)
    if secret is not None:
        dispatcher.vault.decrypt(secret)


def take_up(dispatcher: Dispatcher) -> None:
    """Release at once what the worker's earlier run had claimed, instead of waiting for its leases to end."""
    if dispatcher.name is None:
        return
    with dispatcher.sessions.begin() as session:
        freed = claims.free_leases(session, dispatcher.name, now=dispatcher.time_source())
    if freed:
        log.info("claims of an earlier run are released", deliveries=freed)


def claim(
    dispatcher: Dispatcher, attempts: int, *, retries: int | None = None
) -> list[ClaimedDelivery]:
    """Claim so many due deliveries in one short transaction; where that fails, one by one."""
    now = dispatcher.time_source()
    retry_limit = attempts if retries is None else retries
    room = ClaimLimits(attempts, retry_limit, endpoint_limit=ENDPOINT_LIMIT, host_limit=HOST_LIMIT)
    with ErrorCapture(), dispatcher.sessions.begin() as session:
        return claims.claim_deliveries(session, room, lease=dispatcher.lease, now=now)
    with dispatcher.sessions() as session:
        due = claims.due_deliveries(session, room, now=now)
    return [claimed for it in due for claimed in _claim_alone(dispatcher, it, now)]


def _claim_alone(dispatcher: Dispatcher, due: Due, now: datetime) -> list[ClaimedDelivery]:
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
