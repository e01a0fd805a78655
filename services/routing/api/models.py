"""What the API shows of handoffs and deliveries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row
from sqlalchemy.orm import Session

from services.routing.domain import notifications, visibility
from services.routing.domain.answers import PastStep
from services.routing.domain.handoff import Handoff, State
from services.routing.handlers.assigner import Assigner
from services.routing.handlers.explanation import explained
from services.routing.queries import deliveries
from shared.contracts.payloads import Change, LeadContext, Scores

MAX_DELIVERIES = 500
"""So many of a handoff's deliveries are shown, the newest."""


class HandoffOut(BaseModel):
    """A handoff as it is now."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    lead_id: UUID
    qualification: int
    state: State
    team: str
    rule: str
    rep: str | None = Field(description="Who holds it; after won or lost, who did.")
    hop: int
    tier: str
    cause: str
    qualified_at: datetime
    assigned_at: datetime | None
    closed_at: datetime | None
    merged_into: UUID | None
    agreement_version: int
    scores: Scores
    lead: LeadContext

    @classmethod
    def of(cls, it: Handoff) -> Self:
        """The handoff, with its lead as it was announced."""
        shown = {
            name: getattr(it, name)
            for name in cls.model_fields
            if name not in ("cause", "scores", "lead")
        }
        lead = {"cause": it.lead.cause, "scores": it.lead.scores, "lead": it.lead.context}
        return cls.model_validate({**shown, **lead})


class StepOut(BaseModel):
    """A step in a handoff's life."""

    change: Change
    occurred_at: datetime
    actor: str
    hop: int
    rep: str | None
    details: dict[str, Any]

    @classmethod
    def of(cls, it: PastStep) -> Self:
        """The step as it was taken."""
        return cls(
            change=it.change,
            occurred_at=it.occurred_at,
            actor=it.actor,
            hop=it.hop,
            rep=it.rep,
            details=it.details,
        )


class AttemptOut(BaseModel):
    """One try of a webhook."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    at: datetime
    took_ms: float
    status: int | None
    detail: str = Field(description="The head of the answer, or what went wrong.")


class DeliveryOut(BaseModel):
    """Something to be told, and how it went."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="The webhook-id of every try.")
    endpoint: str
    handoff_id: UUID
    hop: int
    type: str
    state: str = Field(description="pending, delivered, exhausted or cancelled")
    attempt_count: int
    next_attempt_at: datetime
    created_at: datetime
    ended_at: datetime | None
    attempts: list[AttemptOut] = []


class HandoffStory(HandoffOut):
    """A handoff with everything that explains it."""

    decision: dict[str, Any] | None = Field(description="The newest: why this rep, or why nobody.")
    decisions: list[dict[str, Any]] = Field(
        description="One for each hop; for a rep with their own row alone of the candidates."
    )
    history: list[StepOut] = Field(
        description="For a rep who lost it, up to the step that took it from them."
    )
    deliveries: list[DeliveryOut] = Field(description="For a rep, theirs.")

    @classmethod
    def told(
        cls, session: Session, it: Handoff, past: Iterable[PastStep], assigner: Assigner
    ) -> Self:
        """The whole story, from its own records."""
        decisions = list(explained(session, it, assigner=assigner))
        shown = deliveries.list_deliveries(session, handoff=it.id, limit=MAX_DELIVERIES)
        return cls._of(session, it, past, decisions, shown)

    @classmethod
    def for_rep(
        cls,
        session: Session,
        it: Handoff,
        past: Sequence[PastStep],
        assigner: Assigner,
        *,
        rep: str,
    ) -> Self:
        """What of the story this rep may see, who holds it or held it; the steps are those that they may see."""
        hop = it.hop if it.rep == rep else past[-1].hop
        decisions = visibility.decisions_for(
            rep, explained(session, it, assigner=assigner), hop=hop
        )
        everything = deliveries.list_deliveries(session, handoff=it.id, limit=MAX_DELIVERIES)
        shown = [row for row in everything if row.endpoint == notifications.rep_endpoint(rep)]
        seen = visibility.handoff_for(rep, it, past, decisions)
        return cls._of(session, seen, past, decisions, shown)

    @classmethod
    def _of(
        cls,
        session: Session,
        it: Handoff,
        past: Iterable[PastStep],
        decisions: list[dict[str, Any]],
        shown: Iterable[Row[Any]],
    ) -> Self:
        return cls(
            **HandoffOut.of(it).model_dump(),
            decision=decisions[-1] if decisions else None,
            decisions=decisions,
            history=[StepOut.of(step) for step in past],
            deliveries=with_attempts(session, shown),
        )


def with_attempts(session: Session, rows: Iterable[Row[Any]]) -> list[DeliveryOut]:
    """Deliveries with each of their tries."""
    shown = {row.id: DeliveryOut.model_validate(row) for row in rows}
    for row in deliveries.attempts_of(session, shown.keys()):
        shown[row.delivery_id].attempts.append(AttemptOut.model_validate(row))
    return list(shown.values())
