"""The data of each type of webhook, as OpenAPI describes it."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, Field

from services.routing.domain.fallbacks import UndeliveredState
from services.routing.domain.handoff import State
from shared.contracts.payloads import LeadContext, Scope, Scores


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


class PromiseFields(BaseModel):
    """What a promise is, and whose."""

    clock_id: UUID
    policy: str
    kind: str
    scope: Scope
    detected_at: datetime
    team: str
    rep: str | None


class Breach(PromiseFields):
    """The promise that was broken."""

    due_at: datetime = Field(description="When the promise was broken.")
    outcome: str | None = Field(
        default=None,
        description="Where a step of the ladder took the handoff from its rep, and no rep has it now: `waiting`, it "
        "goes to the first who may have it, or `returned_to_pool`, it waits until ops assign it.",
    )


class RunningPromise(PromiseFields):
    """The promise that will be broken unless it is met soon."""

    due_at: datetime = Field(description="When the promise will be broken.")


class Undelivered(BaseModel):
    """The notification that could not be delivered."""

    type: str
    endpoint: str = Field(description="rep/ID, team/ID, ops or marketing.")
    state: UndeliveredState | None = Field(
        default=None,
        description="`pending`: it is still attempted, but perhaps too late to accept. `exhausted`: it is not.",
    )


class RejectionCount(BaseModel):
    """How many leads were rejected for one reason."""

    reason: str | None = Field(description="Of the agreement; null: none was named.")
    count: int


class WonAmount(BaseModel):
    """The sum of what was won in one currency."""

    currency: str
    amount: float = Field(description="Exact to a hundredth.")
    wins: int


class CampaignOutcome(BaseModel):
    """What became of a campaign's leads on one day, each thing counted on the day it happened."""

    campaign: str = Field(description="The last campaign of these leads.")
    day: date = Field(description="In UTC.")
    counted_at: datetime = Field(
        description="What is reported later is not in it; `GET /v1/campaigns/{campaign}/outcomes` has it."
    )
    qualified: int
    accepted: int
    rejected: int = Field(description="And accepted by no rep.")
    contacted: int
    won: int
    rejections: list[RejectionCount] = Field(
        description="The 20 most frequent reasons of these rejections."
    )
    revenue: list[WonAmount] = Field(description="By currency; amounts are never converted here.")
    wins_without_amount: int = Field(description="Wins that are worth an unknown amount.")


class OutcomeData(BaseModel):
    """The outcome of one campaign and day."""

    outcome: CampaignOutcome


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


class AtRiskData(BaseModel):
    """The promise at risk, with its handoff as far as it is known."""

    promise: RunningPromise
    handoff: NotifiedHandoff | HandoffReference
    lead: LeadContext | None = Field(default=None, description=LEAD)
    scores: Scores | None = None
    links: Links | ConsoleLink | None = None


class UndeliveredData(BaseModel):
    """The data of the notification that could not be delivered, and where it should have gone."""

    undelivered: Undelivered
    handoff: NotifiedHandoff | HandoffReference | None = Field(
        default=None, description="Absent where it is about a campaign."
    )
    outcome: CampaignOutcome | None = None
    lead: LeadContext | None = Field(default=None, description=LEAD)
    scores: Scores | None = None
    links: Links | ConsoleLink | None = None
    due: list[Due] | None = None
    breach: Breach | None = None
    promise: RunningPromise | None = None


class TestData(BaseModel):
    """The endpoint that is tested."""

    endpoint: str = Field(description="rep/ID, team/ID, ops or marketing.")
    actor: str = Field(description="Who asked for the test.")
