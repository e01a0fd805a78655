"""One try of a webhook, from its signature to what its answer means."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

import httpx
import structlog

from services.routing.delivery.dispatcher import Dispatcher
from services.routing.delivery.recording import Tried
from services.routing.delivery.sending import kept, send
from services.routing.domain.attempts import GaveUp, Outcome, Response, judge
from services.routing.domain.signing import signed_headers, still_signing
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
        self._at_s[claimed.notification.endpoint] = self._at_s[claimed.host] = now_s

    def since(self, name: str, began_s: float) -> bool:
        """Whether this host or endpoint has answered since then."""
        return self._at_s.get(name, 0.0) > began_s


async def attempt(
    dispatcher: Dispatcher, clients: Clients, answers: Answers, claimed: Claimed
) -> Tried:
    """One try. Whatever goes wrong with it is its outcome, and nobody else's matter."""
    at, began_s = dispatcher.time_source(), time.monotonic()
    client = clients.to(claimed.notification.endpoint)
    response, outcome = await _outcome(dispatcher, client, claimed)
    took_s = time.monotonic() - began_s
    hang = None
    if response.status is not None:
        answers.note(claimed)
    elif took_s >= min(CONNECT_S, dispatcher.patience_s):
        hang = _hang(answers, claimed, began_s)
    tried = Attempt(claimed.number, at, took_s * 1000, response, claimed.attempts_before)
    return Tried(claimed, tried, outcome, hang)


def _hang(answers: Answers, claimed: Claimed, began_s: float) -> Hang | None:
    """Who did not answer: nobody, if the endpoint answered another try meanwhile."""
    endpoint = claimed.notification.endpoint
    if answers.since(endpoint, began_s):
        return None
    return Hang(endpoint, claimed.host, answers.since(claimed.host, began_s))


async def _outcome(
    dispatcher: Dispatcher, client: httpx.AsyncClient, claimed: Claimed
) -> tuple[Response, Outcome]:
    with ErrorCapture() as capture:
        return await _sent(dispatcher, client, claimed)
    log.error(
        "a try failed before it was sent",
        delivery=str(claimed.notification.id),
        error=capture.fault,
    )
    response = Response(None, kept(f"{capture.fault}: {capture.error}"))
    return response, _judged(dispatcher, claimed, response)


async def _sent(
    dispatcher: Dispatcher, client: httpx.AsyncClient, claimed: Claimed
) -> tuple[Response, Outcome]:
    if claimed.disabled:
        return DISABLED, GaveUp()
    try:
        secrets = [dispatcher.vault.decrypt(claimed.secret), *_old_secrets(dispatcher, claimed)]
    except BadSecretKey as locked:  # of this endpoint: it holds up nobody else's
        response = Response(None, str(locked))
    else:
        response = await _posted(dispatcher, client, claimed, secrets)
    return response, _judged(dispatcher, claimed, response)


def _old_secrets(dispatcher: Dispatcher, claimed: Claimed) -> Iterator[bytes]:
    """Those that sign too; one that only a lost key opens was replaced because of that."""
    for old in still_signing(claimed.old_secrets, now=dispatcher.time_source()):
        with suppress(BadSecretKey):
            yield dispatcher.vault.decrypt(old.secret)


def _judged(dispatcher: Dispatcher, claimed: Claimed, response: Response) -> Outcome:
    number = claimed.number - claimed.attempts_before
    return judge(response, number=number, now=dispatcher.time_source(), chance=dispatcher.chance())


async def _posted(
    dispatcher: Dispatcher, client: httpx.AsyncClient, claimed: Claimed, secrets: Sequence[bytes]
) -> Response:
    notification = claimed.notification
    with start_span(
        f"webhook {notification.type}", notification.traceparent, kind=SpanKind.CLIENT
    ) as here:
        headers = {
            "content-type": "application/json",
            **signed_headers(
                secrets,
                id=str(notification.id),
                at=dispatcher.time_source(),
                body=notification.body,
            ),
            "traceparent": here.traceparent,
        }
        response = await send(
            client,
            claimed.url,
            headers=headers,
            body=notification.body,
            within_s=dispatcher.patience_s,
        )
        here.note(
            {
                "leadbaton.delivery": str(notification.id),
                "http.response.status_code": response.status or 0,
            }
        )
        if response.status is None:
            here.fail(response.detail)
    return response
