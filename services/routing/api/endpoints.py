"""Routes for endpoints: their list, and the rotation of their secrets."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field, SecretStr

from services.routing.domain.signing import still_signing
from services.routing.handlers.secret_rotation import TooManySecrets, UnknownEndpoint, rotate_secret
from services.routing.queries import endpoints
from services.routing.queries.endpoints import EndpointStatus
from shared.auth.keys import UnknownKey, WrongScope
from shared.auth.vault import BadSecretKey, Vault
from shared.http.dependencies import Now, Ops, OpsOrRead, Tx
from shared.http.problems import problems

EndpointState = Literal["in_use", "hanging", "disabled"]
EndpointId = Annotated[
    str,
    Path(
        pattern=r"^(ops|(rep|team)/[^/\x00-\x1f]{1,200})$",
        description="rep/ID, team/ID or ops, as the list shows it.",
    ),
]


StateFilter = Annotated[EndpointState | None, Query(description="Only endpoints in this state.")]


class EndpointOut(BaseModel):
    """An endpoint that gets webhooks. Its URL may be a secret, and is not shown."""

    id: str
    host: str | None
    state: EndpointState = Field(
        description="hanging: it, or its host, timed out, and gets one attempt at a time until it answers"
    )
    since: datetime | None = Field(description="Since when it hangs or is disabled.")
    failures: int = Field(description="Attempts without an answer, since then.")
    disabled_reason: str | None = Field(description="Why it is disabled.")
    pending: int = Field(description="How many webhooks wait for it.")
    old_secret_until: datetime | None = Field(
        description="Until when an old secret signs beside the new one."
    )

    @classmethod
    def of(cls, endpoint: EndpointStatus, *, now: datetime) -> Self:
        """The endpoint as it is now."""
        old = still_signing(endpoint.old_secrets, now=now)
        return cls(
            id=endpoint.id,
            host=endpoint.host,
            state=endpoint.state,
            since=endpoint.since,
            failures=endpoint.failures,
            disabled_reason=endpoint.disabled_reason,
            pending=endpoint.pending,
            old_secret_until=max((it.until for it in old), default=None),
        )


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


def router(secret_key: SecretStr | None) -> APIRouter:
    """The routes. New secrets are encrypted with this key."""
    routes = APIRouter()

    @routes.get("/endpoints", responses=problems(UnknownKey, WrongScope))
    def list_endpoints(session: Tx, _: OpsOrRead, now: Now, state: StateFilter = None) -> Endpoints:
        """List every endpoint, with its state: whether it answers, hangs or is disabled."""
        items = [EndpointOut.of(it, now=now) for it in endpoints.list_endpoints(session)]
        return Endpoints(items=[it for it in items if state in (None, it.state)])

    @routes.post(
        "/endpoints/{id:path}/rotate-secret",
        responses=problems(UnknownKey, WrongScope, UnknownEndpoint, TooManySecrets, BadSecretKey),
    )
    def rotate(id: EndpointId, session: Tx, _: Ops, now: Now, response: Response) -> NewSecret:
        """Give the endpoint a new secret, shown once. For 24 hours each webhook has both signatures."""
        rotation = rotate_secret(session, id, vault=Vault(secret_key), now=now)
        response.headers["cache-control"] = "no-store"
        return NewSecret(id=id, secret=rotation.secret, old_secret_until=rotation.old_secret_until)

    return routes
