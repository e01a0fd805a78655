"""The courier: what delivering needs, and how it takes deliveries in hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from ssrfguard import Policy

from services.routing.queries import claims, deliveries
from services.routing.queries.claims import Claimed, Due, Lease, Room
from services.routing.queries.endpoints import an_encrypted_secret
from shared.auth.vault import Vault
from shared.clock import TimeSource
from shared.db.outages import ErrorCapture
from shared.db.session import Sessions
from shared.http.outbound import TOTAL_S

log = structlog.get_logger(__name__)

HANDS_AN_ENDPOINT = 4
"""Tries on their way to one endpoint: a dead one holds up only its own."""
HANDS_A_HOST = 32
"""Tries on their way to all endpoints of a host together."""
LEASE = timedelta(seconds=TOTAL_S * 2)
"""After this a try that nobody has recorded is anybody's again: what a crash began, it ends."""
GRACE_S = 6.0
"""What tries on their way get to finish when we are asked to stop; their leases look after the rest."""


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
    """How long one try may take."""
    grace_s: float = GRACE_S
    name: str | None = None
    """This worker's across restarts: what its earlier life had in hand is in hand no more."""

    @property
    def lease(self) -> Lease:
        """What it takes deliveries with."""
        return Lease(LEASE, self.name)


def check_vault(dispatcher: Dispatcher) -> None:
    """Raise BadSecretKey if our key is not the one that secrets were encrypted with."""
    with dispatcher.sessions.begin() as session:
        secret = an_encrypted_secret(session)
    if secret is not None:
        dispatcher.vault.decrypt(secret)


def take_up(dispatcher: Dispatcher) -> None:
    """Begin where our earlier life was interrupted, at once: nobody waits for its leases to end."""
    if dispatcher.name is None:
        return
    with dispatcher.sessions.begin() as session:
        freed = claims.free_leases(session, dispatcher.name, now=dispatcher.time_source())
    if freed:
        log.info("tries of an earlier life are free", deliveries=freed)


def claim(dispatcher: Dispatcher, tries: int, *, retries: int | None = None) -> list[Claimed]:
    """Take so many of what is due, in one short transaction; where that fails, one by one."""
    now = dispatcher.time_source()
    most_again = tries if retries is None else retries
    room = Room(tries, most_again, an_endpoint=HANDS_AN_ENDPOINT, a_host=HANDS_A_HOST)
    with ErrorCapture(), dispatcher.sessions.begin() as session:
        return claims.claim_deliveries(session, room, lease=dispatcher.lease, now=now)
    with dispatcher.sessions() as session:
        due = claims.due_deliveries(session, room, now=now)
    return [claimed for it in due for claimed in _claim_alone(dispatcher, it, now)]


def _claim_alone(dispatcher: Dispatcher, due: Due, now: datetime) -> list[Claimed]:
    """One delivery; it is given up if it cannot be taken, or it would be in the way at each claim."""
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
