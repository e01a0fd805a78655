"""The webhooks that reps, teams and ops receive, described for OpenAPI: headers, payloads and examples."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header
from pydantic import BaseModel, Field

from services.routing.api.webhook_data import (
    AssignedData,
    AtRiskData,
    BreachedData,
    OutcomeData,
    TestData,
    UndeliveredData,
    WithdrawnData,
)
from services.routing.api.webhook_examples import example_bodies
from services.routing.domain import notifications


class WebhookHeaders(BaseModel):
    """The headers of Standard Webhooks, by which a receiver verifies the request."""

    webhook_id: UUID = Field(
        description="The id of the notification, the same in every attempt: a receiver handles each id once."
    )
    webhook_timestamp: int = Field(description="The time of this attempt, in seconds since 1970.")
    webhook_signature: str = Field(
        description="`v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64; for an endpoint with an ed25519 key "
        "`v1a,` and its signature of the same too. There is a blank between signatures; for a day after a rotation "
        "there is one more."
    )
    traceparent: str = Field(description="The trace of this attempt (W3C Trace Context).")


class Webhook(BaseModel):
    """What every webhook has."""

    timestamp: datetime = Field(description="When it happened: the assignment, the breach.")


class Assigned(Webhook):
    """A rep got a lead."""

    type: Literal["handoff.assigned"]
    data: AssignedData


class Withdrawn(Webhook):
    """A rep lost a lead."""

    type: Literal["handoff.withdrawn"]
    data: WithdrawnData


class AtRisk(Webhook):
    """A promise will be broken soon."""

    type: Literal["handoff.at_risk"]
    data: AtRiskData


class Breached(Webhook):
    """A promise was broken."""

    type: Literal["handoff.breached"]
    data: BreachedData


class NotDelivered(Webhook):
    """A notification did not reach its endpoint."""

    type: Literal["handoff.undelivered"]
    data: UndeliveredData


class EndpointDisabled(Webhook):
    """An endpoint responded with 410 and gets no more webhooks."""

    type: Literal["endpoint.disabled"]
    data: UndeliveredData


class EndpointTested(Webhook):
    """Ops test whether an endpoint takes webhooks. There is nothing to do but to respond with a 2xx."""

    type: Literal["endpoint.test"]
    data: TestData


class CampaignCounted(Webhook):
    """What became of a campaign's leads on one day; `timestamp` is the end of that day."""

    type: Literal["campaign.outcome"]
    data: OutcomeData


MODELS: dict[str, type[Webhook]] = {
    notifications.ASSIGNED: Assigned,
    notifications.WITHDRAWN: Withdrawn,
    notifications.AT_RISK: AtRisk,
    notifications.BREACHED: Breached,
    notifications.UNDELIVERED: NotDelivered,
    notifications.DISABLED: EndpointDisabled,
    notifications.TESTED: EndpointTested,
    notifications.OUTCOME: CampaignCounted,
}
"""The model of each type of webhook."""

RECIPIENTS = {
    notifications.ASSIGNED: "Sent to the rep's endpoint at each assignment.",
    notifications.WITHDRAWN: "Sent once to the rep who lost it, whatever the reason.",
    notifications.AT_RISK: "Sent to those whom a step before the breach in the promise's `ladder` names.",
    notifications.BREACHED: "Sent to those whom the steps after it in the promise's `ladder` name.",
    notifications.UNDELIVERED: "Sent once to the team's endpoint, or to that of ops: when the accept clock is nearer "
    "than the next attempt at another endpoint, or after the last attempt.",
    notifications.DISABLED: "Sent to the endpoint of ops when another endpoint has responded with 410.",
    notifications.OUTCOME: "Sent to the endpoint `marketing` once a campaign and day, an hour after the day has "
    "ended in UTC, or later.",
    notifications.TESTED: "Sent once, to the endpoint that ops test; the response is shown to them.",
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    "2XX": {"description": "The webhook is delivered. The body of the response is ignored."},
    "410": {"description": "The endpoint is disabled and gets no more webhooks."},
    "default": {"description": "The webhook is sent again, for hours, with growing pauses."},
}


def describe_webhooks(webhooks: APIRouter) -> None:
    """Describe each type of webhook in the OpenAPI document; nothing is served."""
    examples = example_bodies()
    for type, model in MODELS.items():
        _describe(webhooks, type, model, examples[type])


def _describe(webhooks: APIRouter, type: str, model: type[Webhook], example: Any) -> None:
    def receive(headers: Any, body: Any) -> None:
        """Never called."""

    receive.__annotations__ = {"headers": Annotated[WebhookHeaders, Header()], "body": model}
    webhooks.add_api_route(
        type,
        receive,
        methods=["POST"],
        summary=type,
        description=f"{model.__doc__} {RECIPIENTS[type]}",
        operation_id=type,
        response_model=None,
        responses=RESPONSES,
        openapi_extra={"requestBody": {"content": {"application/json": {"example": example}}}},
    )
