"""Tests of endpoints by ops: a signed webhook that is sent within the request, and changes nothing."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog
from pydantic import SecretStr
from ssrfguard import Policy

from services.routing.delivery.send import post_webhook, signers_of
from services.routing.domain.attempts import Response
from services.routing.domain.endpoints import JustTested, UnknownEndpoint
from services.routing.domain.formats import confirmed, encode
from services.routing.domain.notifications import TESTED, body_of_test
from services.routing.domain.signing import signed_headers
from services.routing.queries import endpoints
from services.routing.queries.endpoints import EndpointTarget
from shared.auth.vault import Vault
from shared.clock import TimeSource
from shared.db.session import Sessions
from shared.http.outbound import TOTAL_S, guarded_client
from shared.process.tracing import SpanKind, start_span

log = structlog.get_logger(__name__)

TEST_PAUSE = timedelta(seconds=JustTested.retry_after_s)
"""An endpoint is tested no more often, so that nobody can flood a receiver with tests."""


@dataclass(frozen=True, slots=True)
class EndpointResponse:
    """How an endpoint responded to a test."""

    webhook_id: UUID
    at: datetime
    took_ms: float
    response: Response

    @property
    def is_delivered(self) -> bool:
        """Whether the response counts as a success."""
        return self.response.is_success


@dataclass(frozen=True, slots=True)
class EndpointTester:
    """What the test of an endpoint needs."""

    sessions: Sessions
    secret_key: SecretStr | None
    destination_policy: Policy
    time_source: TimeSource
    patience_s: float = TOTAL_S
    """How long a response is waited for, in seconds."""

    def send_test(self, id: str, *, actor: str) -> EndpointResponse:
        """Send a webhook of type `endpoint.test` in the endpoint's format, also if it hangs or is disabled.

        No transaction is open meanwhile. Raises BadSecretKey, UnknownEndpoint or JustTested.
        """
        vault, at = Vault(self.secret_key), self.time_source()
        target = self._claim(id, at)
        signers = signers_of(vault, target.secrets, target.keys, now=at)
        url = vault.decrypt(target.url).decode()
        body, webhook_id = encode(target.format, body_of_test(id, actor=actor, at=at)), uuid4()
        began_s = time.monotonic()
        with start_span(f"webhook {TESTED}", None, kind=SpanKind.CLIENT) as span:
            headers = {
                "content-type": "application/json",
                **signed_headers(
                    signers.secrets, keys=signers.keys, id=str(webhook_id), at=at, body=body
                ),
                "traceparent": span.traceparent,
            }
            response = asyncio.run(self._post(url, headers, body))
        response = confirmed(target.format, response)
        tested = EndpointResponse(webhook_id, at, (time.monotonic() - began_s) * 1000, response)
        log.info(
            "endpoint tested",
            endpoint=id,
            status=response.status,
            took_ms=round(tested.took_ms, 1),
        )
        return tested

    def _claim(self, id: str, now: datetime) -> EndpointTarget:
        with self.sessions.begin() as session:
            target = endpoints.find_target(session, id)
            if target is None:
                raise UnknownEndpoint(id)
            if not endpoints.claim_test(session, id, pause=TEST_PAUSE, now=now):
                raise JustTested(
                    f"endpoint {id} was tested less than {JustTested.retry_after_s} s ago: try again in a moment"
                )
            return target

    async def _post(self, url: str, headers: dict[str, str], body: bytes) -> Response:
        async with guarded_client(self.destination_policy, connections=1) as client:
            return await post_webhook(
                client, url, headers=headers, body=body, within_s=self.patience_s
            )
