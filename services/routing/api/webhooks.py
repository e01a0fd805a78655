"""The webhooks that reps, teams and ops receive, described for OpenAPI: headers, payloads and examples."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header
from pydantic import BaseModel, Field

from services.routing.api.webhook_examples import example_bodies
from services.routing.domain import notifications
from services.routing.domain.fallbacks import UndeliveredState
from services.routing.domain.handoff import State
from shared.contracts.payloads import LeadContext, Scope, Scores


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


class HandoffReference(BaseModel):
    """A handoff by its ids."""

    id: UUID
    lead_id: UUID


class NotifiedHandoff(HandoffReference):
    """The handoff when the notification was written."""

    state: State
    hop: int = Field(description="Counts the assignees of the handoff; answers may name it.")
    team: str
    rep: str | None
    tier: str
    cause: str = Field(description="Why the lead qualified: hand_raise, threshold, …")
    qualified_at: datetime
    assigned_at: datetime | None
    agreement_version: int


class Links(BaseModel):
    """URLs of the routing API: GET `self`, and POST to the others to answer. And two pages for people."""

    answer: str | None = Field(
        default=None,
        description="Only to a rep: a page on which whoever has this link answers for the rep, for 14 days and without "
        "a key. Opening it changes nothing.",
    )
    console: str | None = Field(default=None, description="The handoff in the console.")
    self: str
    accept: str
    reject: str
    contact: str
    win: str
    lose: str


class Due(BaseModel):
    """A promise that runs for this assignment."""

    policy: str
    kind: str
    due_at: datetime


class Breach(BaseModel):
    """The promise that was broken."""

    clock_id: UUID
    policy: str
    kind: str
    scope: Scope
    due_at: datetime = Field(description="When the promise was broken.")
    detected_at: datetime
    team: str
    rep: str | None


class Undelivered(BaseModel):
    """The notification that could not be delivered."""

    type: str
    endpoint: str = Field(description="rep/ID, team/ID or ops.")
    state: UndeliveredState | None = Field(
        default=None,
        description="`pending`: it is still attempted, but perhaps too late to accept. `exhausted`: it is not.",
    )


class WithdrawnHandoff(HandoffReference):
    """The handoff as the rep had it."""

    hop: int
    team: str
    rep: str | None
    tier: str
    qualified_at: datetime
    assigned_at: datetime | None


class WithdrawnLead(BaseModel):
    """What is left to say about the lead."""

    name: str | None
    company: str | None


class Withdrawal(BaseModel):
    """Why the rep lost the handoff, and which rep has the lead now."""

    reason: str
    actor: str
    handoff_id: UUID = Field(description="The handoff of the lead now; after a merge another one.")
    state: State
    team: str
    rep: str | None


class SelfLink(BaseModel):
    """The URL of the handoff, and its page in the console."""

    self: str
    console: str | None = None


class ConsoleLink(BaseModel):
    """The handoff's page in the console, where the handoff itself is not known."""

    console: str


class WithdrawnData(BaseModel):
    """The withdrawal, without the details of the lead."""

    handoff: WithdrawnHandoff
    lead: WithdrawnLead
    withdrawn: Withdrawal
    links: SelfLink


LEAD = "Absent where the handoff is not known. `shortened` is true where fields were left out of 20 KB."


class AssignedData(BaseModel):
    """The assignment, with all that the rep needs to call."""

    handoff: NotifiedHandoff
    lead: LeadContext = Field(
        description="`shortened` is true where fields were left out because of 20 KB."
    )
    scores: Scores
    links: Links
    due: list[Due]


class BreachedData(BaseModel):
    """The breach, with its handoff as far as it is known."""

    breach: Breach
    handoff: NotifiedHandoff | HandoffReference
    lead: LeadContext | None = Field(default=None, description=LEAD)
    scores: Scores | None = None
    links: Links | ConsoleLink | None = None


class UndeliveredData(BaseModel):
    """The data of the notification that could not be delivered, and where it should have gone."""

    undelivered: Undelivered
    handoff: NotifiedHandoff | HandoffReference
    lead: LeadContext | None = Field(default=None, description=LEAD)
    scores: Scores | None = None
    links: Links | ConsoleLink | None = None
    due: list[Due] | None = None
    breach: Breach | None = None


class TestData(BaseModel):
    """The endpoint that is tested."""

    endpoint: str = Field(description="rep/ID, team/ID or ops.")
    actor: str = Field(description="Who asked for the test.")


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


MODELS: dict[str, type[Webhook]] = {
    notifications.ASSIGNED: Assigned,
    notifications.WITHDRAWN: Withdrawn,
    notifications.BREACHED: Breached,
    notifications.UNDELIVERED: NotDelivered,
    notifications.DISABLED: EndpointDisabled,
    notifications.TESTED: EndpointTested,
}
"""The model of each type of webhook."""

RECIPIENTS = {
    notifications.ASSIGNED: "Sent to the rep's endpoint at each assignment.",
    notifications.WITHDRAWN: "Sent once to the rep who lost it, whatever the reason.",
    notifications.BREACHED: "Sent to the endpoints that the promise's `ladder` names.",
    notifications.UNDELIVERED: "Sent once to the team's endpoint, or to that of ops: when the accept clock is nearer "
    "than the next attempt at another endpoint, or after the last attempt.",
    notifications.DISABLED: "Sent to the endpoint of ops when another endpoint has responded with 410.",
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
