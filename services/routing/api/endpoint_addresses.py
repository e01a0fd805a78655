"""The route by which ops say where an endpoint is, and in which format it takes webhooks."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from ssrfguard import Policy

from services.routing.api.endpoints import EndpointId, EndpointOut
from services.routing.domain.endpoints import NoAddress, NobodysEndpoint
from services.routing.domain.formats import Format
from services.routing.handlers.endpoint_addresses import save_address
from services.routing.queries.endpoints import list_endpoints
from shared.agreement.store import Agreements, NoAgreement
from shared.auth.keys import UnknownKey, WrongScope
from shared.auth.vault import BadSecretKey, Vault
from shared.http.dependencies import Now, Ops, Tx
from shared.http.outbound import ForbiddenAddress, check_url
from shared.http.parameters import PlainText
from shared.http.problems import problems


class EndpointIn(BaseModel):
    """Where an endpoint's webhooks go, and in which format."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"format": "slack", "url": "https://hooks.slack.com/services/T000/B000/XXXX"}
            ]
        },
    )

    format: Format = Field(
        default=Format.STANDARD, description="What the receiver takes: standard, slack or teams."
    )
    url: Annotated[PlainText, Field(max_length=2_000, pattern="^https?://")] | None = Field(
        default=None,
        description="Where webhooks go; without it, where they went before. It is stored encrypted, and never shown.",
    )


class SavedEndpoint(EndpointOut):
    """The endpoint with its new address."""

    secret: str | None = Field(
        description="Of a new endpoint: what its webhooks are signed with. It is not shown again."
    )


def router(secret_key: SecretStr | None, destination_policy: Policy) -> APIRouter:
    """The route. URLs are encrypted with this key, and lead where the policy allows."""
    routes, agreements = APIRouter(), Agreements()

    @routes.put(
        "/endpoints/{id:path}",
        responses=problems(
            UnknownKey,
            WrongScope,
            NobodysEndpoint,
            NoAddress,
            ForbiddenAddress,
            NoAgreement,
            BadSecretKey,
        ),
    )
    def save(
        id: EndpointId, session: Tx, _: Ops, now: Now, body: EndpointIn, response: Response
    ) -> SavedEndpoint:
        """Save the address of a rep's, a team's or the endpoint of ops, and use it from now on.

        An import of reps whose file names the endpoint saves the address of the file instead.
        """
        if body.url is not None:
            check_url(body.url, destination_policy)
        secret = save_address(
            session,
            id,
            url=body.url,
            format_=body.format,
            vault=Vault(secret_key),
            agreements=agreements,
        )
        response.headers["cache-control"] = "no-store"
        [endpoint] = list_endpoints(session, id)
        saved = EndpointOut.of(endpoint, now=now).model_dump()
        return SavedEndpoint(**saved, secret=secret)

    return routes
