"""Routes for endpoints: their list, new secrets, a test, and whether they are used."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from services.routing.api.deliveries import ENDPOINT_PATTERN
from services.routing.delivery.endpoint_tests import EndpointTester
from services.routing.domain.endpoints import JustTested, UnknownEndpoint
from services.routing.domain.formats import Format as EndpointFormat
from services.routing.domain.signing import OldSecret, still_signing
from services.routing.handlers.secret_rotation import TooManySecrets, rotate_key, rotate_secret
from services.routing.queries import deliveries, endpoints
from services.routing.queries.endpoints import EndpointState, EndpointStatus
from shared.auth.keys import UnknownKey, WrongScope
from shared.auth.vault import BadSecretKey, Vault
from shared.http.csv_tables import (
    CSV_RESPONSE,
    FORMAT,
    Format,
    columns_of,
    csv_response,
    row_of,
    wants_csv,
)
from shared.http.dependencies import Now, Ops, OpsOrRead, Tx
from shared.http.problems import problems

EndpointId = Annotated[
    str,
    Path(
        pattern=ENDPOINT_PATTERN,
        description="rep/ID, team/ID, ops or marketing, as the list shows it.",
    ),
]


class EndpointsQuery(BaseModel):
    """Which endpoints are listed."""

    model_config = ConfigDict(extra="forbid")

    state: EndpointState | None = Field(default=None, description="Only endpoints in this state.")
    format: Format = Field(default=None, description=FORMAT)


class EndpointOut(BaseModel):
    """An endpoint that gets webhooks. Its URL may be a secret, and is not shown."""

    id: str
    host: str
    format: EndpointFormat = Field(
        description="standard: JSON of Standard Webhooks; slack, teams: a message for a chat."
    )
    state: EndpointState = Field(
        description="hanging: it, or its host, timed out; failing: five attempts in a row failed. "
        "Both get one attempt at a time, until it answers, or takes one."
    )
    since: datetime | None = Field(description="Since when it hangs, fails or is disabled.")
    failures: int = Field(description="Failed attempts, one after the other.")
    disabled_reason: str | None = Field(description="Why it is disabled.")
    pending: int = Field(description="How many webhooks wait for it.")
    old_secret_until: datetime | None = Field(
        description="Until when an old secret signs beside the new one."
    )
    public_key: str | None = Field(
        description="The ed25519 key, `whpk_…`, that verifies its `v1a` signatures; null where it has none."
    )
    old_key_until: datetime | None = Field(
        description="Until when an old key signs beside the new one."
    )

    @classmethod
    def of(cls, endpoint: EndpointStatus, *, now: datetime) -> Self:
        """The endpoint as it is now."""
        return cls(
            id=endpoint.id,
            host=endpoint.host,
            format=endpoint.format,
            state=endpoint.state,
            since=endpoint.since,
            failures=endpoint.failures,
            disabled_reason=endpoint.disabled_reason,
            pending=endpoint.pending,
            old_secret_until=_last(endpoint.old_secrets, now),
            public_key=endpoint.public_key,
            old_key_until=_last(endpoint.old_keys, now),
        )


def _last(old_secrets: Sequence[OldSecret], now: datetime) -> datetime | None:
    """When the last of them stops to sign; None where none signs any more."""
    return max((it.until for it in still_signing(old_secrets, now=now)), default=None)


class Endpoints(BaseModel):
    """All endpoints."""

    items: list[EndpointOut]


class NewSecret(BaseModel):
    """The new secret. It is not shown again."""

    id: str
    secret: str
    old_secret_until: datetime | None = Field(
        description="Until then each webhook has both signatures; null where the old secret cannot be decrypted."
    )


class NewKey(BaseModel):
    """The public key of the new ed25519 key. The private key is never shown."""

    id: str
    public_key: str = Field(
        description="`whpk_` and 32 bytes in base64: verifies `v1a` signatures."
    )
    old_key_until: datetime | None = Field(
        description="Until then each webhook has a signature of the old key too; null where there is none."
    )


class TestOut(BaseModel):
    """How the endpoint responded to the test."""

    endpoint: str
    webhook_id: UUID = Field(description="The `webhook-id` of the test.")
    at: datetime
    took_ms: float
    delivered: bool = Field(description="Whether it responded with a 2xx.")
    status: int | None = Field(description="Of the response; null where there was none.")
    detail: str = Field(description="The head of the response, or what went wrong.")


class DeletedEndpoint(BaseModel):
    """An endpoint that is gone."""

    id: str
    cancelled: int = Field(description="How many webhooks to it were pending, and are not sent.")


def router(secret_key: SecretStr | None, tester: EndpointTester) -> APIRouter:
    """The routes. New secrets are encrypted with this key."""
    routes = APIRouter()
    routes.include_router(_use_routes())
    routes.include_router(_test_routes(tester))

    @routes.post(
        "/endpoints/{id:path}/rotate-secret",
        responses=problems(UnknownKey, WrongScope, UnknownEndpoint, TooManySecrets, BadSecretKey),
    )
    def rotate(id: EndpointId, session: Tx, _: Ops, now: Now, response: Response) -> NewSecret:
        """Give the endpoint a new secret, shown once. For 24 hours each webhook has both signatures."""
        rotation = rotate_secret(session, id, vault=Vault(secret_key), now=now)
        response.headers["cache-control"] = "no-store"
        return NewSecret(id=id, secret=rotation.secret, old_secret_until=rotation.old_secret_until)

    @routes.post(
        "/endpoints/{id:path}/rotate-key",
        responses=problems(UnknownKey, WrongScope, UnknownEndpoint, TooManySecrets, BadSecretKey),
    )
    def renew_key(id: EndpointId, session: Tx, _: Ops, now: Now) -> NewKey:
        """Give the endpoint an ed25519 key, its first or another one: its webhooks get a `v1a` signature too.

        A receiver verifies it with the public key and needs no secret. The key before this one signs for 24 hours more.
        """
        rotation = rotate_key(session, id, vault=Vault(secret_key), now=now)
        return NewKey(id=id, public_key=rotation.public_key, old_key_until=rotation.old_key_until)

    return routes


def _use_routes() -> APIRouter:
    """Which endpoints there are, and whether they are used."""
    routes = APIRouter()

    routes.get(
        "/endpoints",
        response_model=Endpoints,
        responses={**CSV_RESPONSE, **problems(UnknownKey, WrongScope)},
    )(list_endpoints)

    @routes.post(
        "/endpoints/{id:path}/enable", responses=problems(UnknownKey, WrongScope, UnknownEndpoint)
    )
    def enable(id: EndpointId, session: Tx, _: Ops, now: Now) -> EndpointOut:
        """Use a disabled endpoint again, as after it was repaired. What it missed is sent again by a replay."""
        endpoints.enable_endpoint(session, id)
        endpoint = endpoints.find_endpoint(session, id)
        if endpoint is None:
            raise UnknownEndpoint(id)
        return EndpointOut.of(endpoint, now=now)

    @routes.delete(
        "/endpoints/{id:path}", responses=problems(UnknownKey, WrongScope, UnknownEndpoint)
    )
    def delete(id: EndpointId, session: Tx, _: Ops, now: Now) -> DeletedEndpoint:
        """Delete the endpoint with its secrets; pending webhooks to it are cancelled.

        An import of reps whose file still names it makes it anew, with a new secret.
        """
        if not endpoints.delete_endpoint(session, id):
            raise UnknownEndpoint(id)
        cancelled = deliveries.cancel_for_endpoints(session, [id], now=now)
        return DeletedEndpoint(id=id, cancelled=cancelled)

    return routes


def list_endpoints(
    request: Request,
    session: Tx,
    _: OpsOrRead,
    now: Now,
    query: Annotated[EndpointsQuery, Query()],
) -> Endpoints | Response:
    """List every endpoint, with its state: whether it answers, hangs, fails or is disabled."""
    every = [EndpointOut.of(it, now=now) for it in endpoints.list_endpoints(session)]
    items = [it for it in every if query.state in (None, it.state)]
    if wants_csv(request, query.format):
        columns = list(columns_of(EndpointOut))
        return csv_response(request, "endpoints", columns, [row_of(it, columns) for it in items])
    return Endpoints(items=items)


def _test_routes(tester: EndpointTester) -> APIRouter:
    """Tests of endpoints."""
    routes = APIRouter()

    @routes.post(
        "/endpoints/{id:path}/test",
        responses=problems(UnknownKey, WrongScope, UnknownEndpoint, JustTested, BadSecretKey),
    )
    def test(id: EndpointId, caller: Ops) -> TestOut:
        """Send the endpoint a signed webhook of type `endpoint.test` at once, and show how it responded.

        A test is no delivery: it is sent once, also to an endpoint that is disabled, and changes nothing. An endpoint
        takes one in ten seconds.
        """
        tested = tester.send_test(id, actor=f"ops/{caller.subject}")
        return TestOut(
            endpoint=id,
            webhook_id=tested.webhook_id,
            at=tested.at,
            took_ms=round(tested.took_ms, 1),
            delivered=tested.is_delivered,
            status=tested.response.status,
            detail=tested.response.detail,
        )

    return routes
