"""One attempt of a webhook: it is signed, posted, and judged by its response."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

import httpx
import structlog
from ssrfguard import SSRFGuardError

from services.routing.delivery.dispatcher import Dispatcher
from services.routing.delivery.finished import FinishedAttempt
from services.routing.domain.answer_links import PATH
from services.routing.domain.attempts import GaveUp, Outcome, Response, judge
from services.routing.domain.formats import confirmed, encode
from services.routing.domain.signing import OldSecret, Signers, signed_headers, still_signing
from services.routing.queries.breakers import Hang
from services.routing.queries.claims import ClaimedDelivery
from services.routing.queries.deliveries import Attempt
from services.routing.queries.endpoints import Keys, Secrets
from shared.auth.vault import BadSecretKey, Vault
from shared.db.outages import ErrorCapture
from shared.http.outbound import CALL_ERRORS, CONNECT_S, Clients, head_of, refusal_reason
from shared.process.tracing import SpanKind, start_span
from shared.text import storable

log = structlog.get_logger(__name__)

DISABLED = Response(
    None, "the endpoint is disabled; enable it, or give it another URL with `leadbaton reps import`"
)


MAX_DETAIL = 500
"""How many characters of a response are stored with an attempt."""
_ANSWER_LINK = re.compile(re.escape(PATH) + r"[A-Za-z0-9_-]{40,}")


class LastResponses:
    """When each host and endpoint answered last: that distinguishes a hanging host from a hanging endpoint."""

    def __init__(self) -> None:
        self._at_s: dict[str, float] = {}

    def note(self, claimed: ClaimedDelivery) -> None:
        """Note that the endpoint and its host answered just now."""
        now_s = time.monotonic()
        self._at_s[claimed.notification.endpoint] = self._at_s[claimed.host] = now_s

    def since(self, name: str, began_s: float) -> bool:
        """Whether this host or endpoint has answered since then."""
        return self._at_s.get(name, 0.0) > began_s


async def make_attempt(
    dispatcher: Dispatcher, clients: Clients, responses: LastResponses, claimed: ClaimedDelivery
) -> FinishedAttempt:
    """Make one attempt. Every failure is an outcome, and does not affect other attempts."""
    at, began_s = dispatcher.time_source(), time.monotonic()
    client = clients.to(claimed.notification.endpoint)
    response, outcome = await _outcome(dispatcher, client, claimed)
    took_s = time.monotonic() - began_s
    hang = None
    if response.status is not None:
        responses.note(claimed)
    elif took_s >= min(CONNECT_S, dispatcher.patience_s):
        hang = _hang(responses, claimed, began_s)
    attempt = Attempt(claimed.number, at, took_s * 1000, response, claimed.attempts_before)
    return FinishedAttempt(claimed, attempt, outcome, hang)


def _hang(responses: LastResponses, claimed: ClaimedDelivery, began_s: float) -> Hang | None:
    """The endpoint and host that did not answer; None if the endpoint answered another attempt meanwhile."""
    endpoint = claimed.notification.endpoint
    if responses.since(endpoint, began_s):
        return None
    return Hang(endpoint, claimed.host, responses.since(claimed.host, began_s))


async def _outcome(
    dispatcher: Dispatcher, client: httpx.AsyncClient, claimed: ClaimedDelivery
) -> tuple[Response, Outcome]:
    with ErrorCapture() as capture:
        return await _sign_and_post(dispatcher, client, claimed)
    log.error(
        "an attempt failed before it was sent",
        delivery=str(claimed.notification.id),
        error=capture.fault,
    )
    response = Response(None, shortened(f"{capture.fault}: {capture.error}"))
    return response, _judge(dispatcher, claimed, response)


async def _sign_and_post(
    dispatcher: Dispatcher, client: httpx.AsyncClient, claimed: ClaimedDelivery
) -> tuple[Response, Outcome]:
    if claimed.disabled:
        return DISABLED, GaveUp()
    now = dispatcher.time_source()
    try:
        signers = signers_of(dispatcher.vault, claimed.secrets, claimed.keys, now=now)
        url = dispatcher.vault.decrypt(claimed.url).decode()
    except BadSecretKey as error:  # it concerns this endpoint alone
        response = Response(None, str(error))
    else:
        response = await _post(dispatcher, client, claimed, url=url, signers=signers)
    return response, _judge(dispatcher, claimed, response)


def signers_of(vault: Vault, secrets: Secrets, keys: Keys, *, now: datetime) -> Signers:
    """The secrets and the private keys that sign now, decrypted; raises BadSecretKey if a current one cannot be."""
    if keys.current is None:
        return Signers(_decrypted(vault, secrets.current, secrets.old, now))
    return Signers(
        _decrypted(vault, secrets.current, secrets.old, now),
        _decrypted(vault, keys.current, keys.old, now),
    )


def _decrypted(
    vault: Vault, current: bytes, old_secrets: Sequence[OldSecret], now: datetime
) -> list[bytes]:
    """The current one and the old ones that still sign; an old one that was encrypted with a lost key is left out."""
    decrypted = [vault.decrypt(current)]
    for old in still_signing(old_secrets, now=now):
        with suppress(BadSecretKey):
            decrypted.append(vault.decrypt(old.secret))
    return decrypted


def _judge(dispatcher: Dispatcher, claimed: ClaimedDelivery, response: Response) -> Outcome:
    number = claimed.number - claimed.attempts_before
    return judge(response, number=number, now=dispatcher.time_source(), chance=dispatcher.chance())


async def _post(
    dispatcher: Dispatcher,
    client: httpx.AsyncClient,
    claimed: ClaimedDelivery,
    *,
    url: str,
    signers: Signers,
) -> Response:
    notification = claimed.notification
    body = encode(claimed.format, dispatcher.links.linked_body(notification))
    with start_span(
        f"webhook {notification.type}", notification.traceparent, kind=SpanKind.CLIENT
    ) as span:
        headers = {
            "content-type": "application/json",
            **signed_headers(
                signers.secrets,
                keys=signers.keys,
                id=str(notification.id),
                at=dispatcher.time_source(),
                body=body,
            ),
            "traceparent": span.traceparent,
        }
        response = await post_webhook(
            client, url, headers=headers, body=body, within_s=dispatcher.patience_s
        )
        response = confirmed(claimed.format, response)
        span.note(
            {
                "leadbaton.delivery": str(notification.id),
                "http.response.status_code": response.status or 0,
            }
        )
        if response.status is None:
            span.fail(response.detail)
    return response


async def post_webhook(
    client: httpx.AsyncClient, url: str, *, headers: dict[str, str], body: bytes, within_s: float
) -> Response:
    """Post the body once. An error on the way is in the response's detail, and there is no status then.

    Once the head of the response is there, its status decides, however the body ends.
    """
    try:
        async with asyncio.timeout(within_s):
            request = client.build_request("POST", url, content=body, headers=headers)
            response = await client.send(request, stream=True)
    except TimeoutError:
        return Response(None, f"no answer within {within_s:g} s")
    except SSRFGuardError as refusal:
        return Response(None, shortened(refusal_reason(refusal)))
    except CALL_ERRORS as error:
        return Response(None, shortened(f"{type(error).__name__}: {error}"))
    head = await head_of(response)
    return Response(
        response.status_code,
        shortened(head.decode("utf-8", "replace")),
        response.headers.get("retry-after"),
    )


def shortened(text: str) -> str:
    """The first part of the text, as much as is stored with an attempt, without links for answers in it."""
    return storable(_ANSWER_LINK.sub(f"{PATH}\N{HORIZONTAL ELLIPSIS}", text)[:MAX_DETAIL])
