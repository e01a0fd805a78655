"""The courier: keeps as many tries on their way as it has hands, and never sends inside a transaction."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import httpx
import structlog
from sqlalchemy.exc import DBAPIError
from ssrfguard import Policy

from services.routing.delivery import recording
from services.routing.delivery.recording import Tried
from services.routing.delivery.sending import send
from services.routing.domain.signing import signed_headers
from services.routing.domain.tries import GaveUp, Outcome, Response, judge
from services.routing.queries import claims
from services.routing.queries.claims import Claimed
from services.routing.queries.deliveries import Attempt
from services.routing.queries.roster import an_encrypted_secret
from shared.clock import Clock
from shared.db.outages import OUTAGES, is_outage
from shared.db.session import Sessions
from shared.http.outbound import TOTAL_S, Clients
from shared.secrets import BadSecretKey, Vault
from shared.tracing import SpanKind, hop

log = structlog.get_logger(__name__)

HANDS = 64
"""Tries on their way at once."""
HANDS_AN_ENDPOINT = 4
"""Of these, for one endpoint: a dead one holds up only its own."""
LEASE = timedelta(seconds=TOTAL_S * 2)
"""After this a try that nobody has recorded is anybody's again: what a crash began, it ends."""
POLL_S = 1.0
LAST_TURNS, AGAIN_S = 10, 0.1
"""How often we try to keep what is still not kept when we are asked to stop."""
GRACE_S = 6.0
"""What tries on their way get to finish when we are asked to stop; their leases look after the rest."""

DISABLED = Response(
    None, "the endpoint is disabled; give it another URL with `leadbaton reps import`"
)


@dataclass(frozen=True, slots=True)
class Courier:
    """What delivering needs."""

    sessions: Sessions
    vault: Vault
    policy: Policy
    clock: Clock
    chance: Callable[[], float]
    """Uniform in [0, 1): the jitter."""
    patience_s: float = TOTAL_S
    """How long one try may take."""
    grace_s: float = GRACE_S
    name: str | None = None
    """This worker's across restarts: what its earlier life had in hand is in hand no more."""


def check_vault(courier: Courier) -> None:
    """Raise BadSecretKey if our key is not the one that secrets were encrypted with."""
    with courier.sessions.begin() as session:
        secret = an_encrypted_secret(session)
    if secret is not None:
        courier.vault.decrypt(secret)


def take_up(courier: Courier) -> None:
    """Begin where our earlier life was interrupted, at once: nobody waits for its leases to end."""
    if courier.name is None:
        return
    with courier.sessions.begin() as session:
        freed = claims.free_leases(session, courier.name)
    if freed:
        log.info("tries of an earlier life are free", deliveries=freed)


async def deliver(
    courier: Courier, *, stop: threading.Event, woken: asyncio.Event, beat: Callable[[], None]
) -> None:
    """Deliver until `stop`. `woken` is set by whoever has something new for us; we look once a second anyway.

    How tries ended is kept many at a time: those that end while the database works on those before. What it cannot
    keep while it is away we hold, and claim nothing more, until it is back.
    """
    tries: set[asyncio.Task[Tried]] = set()
    ended: Sequence[Tried] = ()
    async with Clients(courier.policy, connections=HANDS) as clients:
        while not stop.is_set():
            beat()
            woken.clear()
            ended, claimed = await _turn(courier, ended, HANDS - len(tries))
            tries |= {asyncio.create_task(_try(courier, clients, it)) for it in claimed}
            tries, new = await _progress(tries, woken)
            ended = (*ended, *new)
        if tries:
            done, tries = await asyncio.wait(tries, timeout=courier.grace_s)
            ended = (*ended, *(it.result() for it in done))
        for left in tries:
            left.cancel()
        await asyncio.gather(*tries, return_exceptions=True)
    turns = LAST_TURNS
    while ended and turns:
        ended, _ = await _turn(courier, ended, 0)
        turns -= 1
        await asyncio.sleep(AGAIN_S if ended else 0)


async def _progress(
    tries: set[asyncio.Task[Tried]], woken: asyncio.Event
) -> tuple[set[asyncio.Task[Tried]], list[Tried]]:
    """Wait for a try to end, for something new, or for a second; the tries on their way, and those that ended."""
    called = asyncio.create_task(woken.wait())
    done, _ = await asyncio.wait(
        {called, *tries}, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED
    )
    called.cancel()
    over = tries & done
    return tries - done, [it.result() for it in over]


async def _turn(
    courier: Courier, ended: Sequence[Tried], most: int
) -> tuple[Sequence[Tried], Sequence[Claimed]]:
    """Keep how tries ended, then take what is due; which of them could not be kept, and what was taken."""
    try:
        if ended:
            await asyncio.to_thread(_save, courier, ended)
            ended = ()
        return ended, await asyncio.to_thread(claim, courier, most) if most else ()
    except (*OUTAGES, DBAPIError) as error:
        if not is_outage(error):
            raise
        log.warning("database away, deliveries wait", unkept=len(ended), error=type(error).__name__)
        return ended, ()


def claim(courier: Courier, most: int) -> list[Claimed]:
    """Take what is due, in one short transaction."""
    with courier.sessions.begin() as session:
        return claims.claim_deliveries(
            session,
            most=most,
            most_an_endpoint=HANDS_AN_ENDPOINT,
            lease=LEASE,
            now=courier.clock(),
            worker=courier.name,
        )


async def _try(courier: Courier, clients: Clients, claimed: Claimed) -> Tried:
    """One try, from signature to answer."""
    at, began_s = courier.clock(), time.monotonic()
    client = clients.to(claimed.notice.endpoint)
    response, outcome = await _sent(courier, client, claimed)
    took_ms = (time.monotonic() - began_s) * 1000
    return Tried(
        claimed, Attempt(claimed.number, at, took_ms, response, claimed.tried_before), outcome
    )


async def _sent(
    courier: Courier, client: httpx.AsyncClient, claimed: Claimed
) -> tuple[Response, Outcome]:
    if claimed.disabled:
        return DISABLED, GaveUp()
    try:
        secret = courier.vault.decrypt(claimed.secret)
    except BadSecretKey as locked:  # of this endpoint: it holds up nobody else's
        response = Response(None, str(locked))
    else:
        response = await _posted(courier, client, claimed, secret)
    round_ = claimed.number - claimed.tried_before
    return response, judge(response, number=round_, now=courier.clock(), chance=courier.chance())


async def _posted(
    courier: Courier, client: httpx.AsyncClient, claimed: Claimed, secret: bytes
) -> Response:
    notice = claimed.notice
    with hop(f"webhook {notice.type}", notice.traceparent, kind=SpanKind.CLIENT) as here:
        headers = {
            "content-type": "application/json",
            **signed_headers(secret, id=str(notice.id), at=courier.clock(), body=notice.body),
            "traceparent": here.traceparent,
        }
        response = await send(
            client, claimed.url, headers=headers, body=notice.body, within_s=courier.patience_s
        )
        here.note(
            {
                "leadbaton.delivery": str(notice.id),
                "http.response.status_code": response.status or 0,
            }
        )
        if response.status is None:
            here.fail(response.said)
    return response


def _save(courier: Courier, ended: Sequence[Tried]) -> None:
    with courier.sessions.begin() as session:
        recording.save(session, ended)
