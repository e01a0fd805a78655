"""One try of a webhook, from its signature to what its answer means."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

import httpx
import structlog

from services.routing.delivery.courier import Courier
from services.routing.delivery.recording import Tried
from services.routing.delivery.sending import kept, send
from services.routing.domain.signing import signed_headers, signing_still
from services.routing.domain.tries import GaveUp, Outcome, Response, judge
from services.routing.queries.breakers import Hang
from services.routing.queries.claims import Claimed
from services.routing.queries.deliveries import Attempt
from shared.auth.vault import BadSecretKey
from shared.db.outages import ErrorCapture
from shared.http.outbound import CONNECT_S, Clients
from shared.process.tracing import SpanKind, start_span

log = structlog.get_logger(__name__)

DISABLED = Response(
    None, "the endpoint is disabled; give it another URL with `leadbaton reps import`"
)


class Answers:
    """When hosts and endpoints answered last: who hangs is told by who answers meanwhile."""

    def __init__(self) -> None:
        self._at_s: dict[str, float] = {}

    def note(self, claimed: Claimed) -> None:
        """Somebody answered just now."""
        now_s = time.monotonic()
        self._at_s[claimed.notice.endpoint] = self._at_s[claimed.host] = now_s

    def since(self, name: str, began_s: float) -> bool:
        """Whether this host or endpoint has answered since then."""
        return self._at_s.get(name, 0.0) > began_s


async def attempt(courier: Courier, clients: Clients, answers: Answers, claimed: Claimed) -> Tried:
    """One try. Whatever goes wrong with it is its outcome, and nobody else's matter."""
    at, began_s = courier.time_source(), time.monotonic()
    client = clients.to(claimed.notice.endpoint)
    response, outcome = await _outcome(courier, client, claimed)
    took_s = time.monotonic() - began_s
    hang = None
    if response.status is not None:
        answers.note(claimed)
    elif took_s >= min(CONNECT_S, courier.patience_s):
        hang = _hang(answers, claimed, began_s)
    tried = Attempt(claimed.number, at, took_s * 1000, response, claimed.tried_before)
    return Tried(claimed, tried, outcome, hang)


def _hang(answers: Answers, claimed: Claimed, began_s: float) -> Hang | None:
    """Who did not answer: nobody, if the endpoint answered another try meanwhile."""
    endpoint = claimed.notice.endpoint
    if answers.since(endpoint, began_s):
        return None
    return Hang(endpoint, claimed.host, answers.since(claimed.host, began_s))


async def _outcome(
    courier: Courier, client: httpx.AsyncClient, claimed: Claimed
) -> tuple[Response, Outcome]:
    with ErrorCapture() as capture:
        return await _sent(courier, client, claimed)
    log.error(
        "a try failed before it was sent",
        delivery=str(claimed.notice.id),
        error=capture.fault,
    )
    response = Response(None, kept(f"{capture.fault}: {capture.error}"))
    return response, _judged(courier, claimed, response)


async def _sent(
    courier: Courier, client: httpx.AsyncClient, claimed: Claimed
) -> tuple[Response, Outcome]:
    if claimed.disabled:
        return DISABLED, GaveUp()
    try:
        secrets = [courier.vault.decrypt(claimed.secret), *_old_secrets(courier, claimed)]
    except BadSecretKey as locked:  # of this endpoint: it holds up nobody else's
        response = Response(None, str(locked))
    else:
        response = await _posted(courier, client, claimed, secrets)
    return response, _judged(courier, claimed, response)


def _old_secrets(courier: Courier, claimed: Claimed) -> Iterator[bytes]:
    """Those that sign too; one that only a lost key opens was replaced because of that."""
    for old in signing_still(claimed.old_secrets, now=courier.time_source()):
        with suppress(BadSecretKey):
            yield courier.vault.decrypt(old.secret)


def _judged(courier: Courier, claimed: Claimed, response: Response) -> Outcome:
    number = claimed.number - claimed.tried_before
    return judge(response, number=number, now=courier.time_source(), chance=courier.chance())


async def _posted(
    courier: Courier, client: httpx.AsyncClient, claimed: Claimed, secrets: Sequence[bytes]
) -> Response:
    notice = claimed.notice
    with start_span(f"webhook {notice.type}", notice.traceparent, kind=SpanKind.CLIENT) as here:
        headers = {
            "content-type": "application/json",
            **signed_headers(
                secrets, id=str(notice.id), at=courier.time_source(), body=notice.body
            ),
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
