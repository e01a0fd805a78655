"""Answers: what a rep, or ops for a rep, says about a handoff. Each may be sent twice."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.orm import Session

from services.routing.api.handoffs import story
from services.routing.api.models import HandoffStory
from services.routing.domain.answers import (
    Actor,
    Answer,
    HandoffMoved,
    ImpossibleTime,
    NotYours,
    UnknownReason,
    check_reason,
)
from services.routing.handlers.answers import UnknownHandoff, answer
from services.routing.handlers.assigner import Assigner
from services.routing.queries import handoffs
from shared.agreement.model import Id
from shared.auth.keys import Caller, InactiveRep, KeyScope, UnknownKey, WrongScope
from shared.contracts.payloads import Change
from shared.http.dependencies import Now, Ops, OpsOrRep, Tx
from shared.http.parameters import Count, Instant
from shared.http.problems import problems

RESPONSES = problems(
    UnknownKey,
    WrongScope,
    InactiveRep,
    NotYours,
    UnknownHandoff,
    HandoffMoved,
    ImpossibleTime,
    UnknownReason,
)


MAX_AMOUNT = 1e12
"""More than a lead was ever worth in any currency."""


class AnswerIn(BaseModel):
    """Every answer may say when it happened, and which hop it means."""

    model_config = ConfigDict(extra="forbid")

    occurred_at: Instant | None = Field(
        default=None,
        description="When it happened; by default now. Give it, and sending twice is surely one answer.",
    )
    hop: Count | None = Field(
        default=None, description="The hop that is answered; refused if it is over."
    )

    def details(self) -> dict[str, Any]:
        """What the answer says besides."""
        return self.model_dump(exclude={"occurred_at", "hop"}, exclude_none=True)


class RejectIn(AnswerIn):
    """Hand the lead back."""

    reason: Id = Field(description="One of the agreement's `reject_reasons`.")


class ContactIn(AnswerIn):
    """The lead was contacted, or it was tried."""

    channel: Id = Field(description="phone, email, …")
    outcome: Id = Field(description="reached, no_answer, …")


class WinIn(AnswerIn):
    """The lead bought."""

    amount: float | None = Field(default=None, ge=0, le=MAX_AMOUNT, allow_inf_nan=False)
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.amount is None) != (self.currency is None):
            raise ValueError("amount and currency go together")
        return self


class LoseIn(AnswerIn):
    """The lead did not buy."""

    reason: Id = Field(description="One of the agreement's `loss_reasons`.")


class ReassignIn(BaseModel):
    """Take the lead from whoever has it and give it to somebody else."""

    model_config = ConfigDict(extra="forbid")

    hop: Count = Field(description="The hop that is ended; sent twice, it is ended once.")


Optional = Annotated[AnswerIn, Body(default_factory=AnswerIn)]
OptionalWin = Annotated[WinIn, Body(default_factory=WinIn)]

REASSIGNED = "reassigned_by_ops"


def router(assigner: Assigner) -> APIRouter:
    """The routes; each answers with the handoff's whole story."""
    routes = APIRouter()
    policy = _Desk(assigner)

    @routes.post("/handoffs/{id}/accept", responses=RESPONSES)
    def accept(id: UUID, session: Tx, caller: OpsOrRep, now: Now, said: Optional) -> HandoffStory:
        """Take the lead on."""
        return policy.take(session, id, Change.ACCEPTED, said, caller, now)

    @routes.post("/handoffs/{id}/reject", responses=RESPONSES)
    def reject(id: UUID, session: Tx, caller: OpsOrRep, now: Now, said: RejectIn) -> HandoffStory:
        """Hand the lead back: to another rep, or to marketing, as the agreement says of the reason."""
        return policy.take(session, id, Change.REJECTED, said, caller, now)

    @routes.post("/handoffs/{id}/contact", responses=RESPONSES)
    def contact(id: UUID, session: Tx, caller: OpsOrRep, now: Now, said: ContactIn) -> HandoffStory:
        """Say that the lead was called or written to. The same again without `occurred_at` is the same contact."""
        return policy.take(session, id, Change.CONTACTED, said, caller, now)

    @routes.post("/handoffs/{id}/win", responses=RESPONSES)
    def win(id: UUID, session: Tx, caller: OpsOrRep, now: Now, said: OptionalWin) -> HandoffStory:
        """Close it: they bought."""
        return policy.take(session, id, Change.WON, said, caller, now)

    @routes.post("/handoffs/{id}/lose", responses=RESPONSES)
    def lose(id: UUID, session: Tx, caller: OpsOrRep, now: Now, said: LoseIn) -> HandoffStory:
        """Close it: they did not buy."""
        return policy.take(session, id, Change.LOST, said, caller, now)

    @routes.post("/handoffs/{id}/reassign", responses=RESPONSES)
    def reassign(id: UUID, session: Tx, caller: Ops, now: Now, said: ReassignIn) -> HandoffStory:
        """Give it to somebody else than who has it, or had it."""
        taken = Answer(Change.REJECTED, hop=said.hop, details={"reason": REASSIGNED})
        return policy.keep(session, id, taken, caller, now)

    return routes


class _Desk:
    """Takes answers."""

    def __init__(self, assigner: Assigner) -> None:
        self._assigner = assigner

    def take(
        self,
        session: Session,
        id: UUID,
        change: Change,
        said: AnswerIn,
        caller: Caller,
        now: datetime,
    ) -> HandoffStory:
        """Take what the caller says, with what its reason entails."""
        details = said.details()
        if "reason" in details:
            details |= self._consequence(session, id, change, details["reason"])
        taken = Answer(change, said.occurred_at, said.hop, details)
        return self.keep(session, id, taken, caller, now)

    def keep(
        self, session: Session, id: UUID, taken: Answer, caller: Caller, now: datetime
    ) -> HandoffStory:
        """Take the answer and tell the whole story after it."""
        answer(session, id, taken, actor=_actor(caller), assigner=self._assigner, now=now)
        return story(session, id, caller, self._assigner)

    def _consequence(
        self, session: Session, id: UUID, change: Change, reason: str
    ) -> dict[str, bool]:
        """What the reason entails, in the agreement that the handoff is under; raises UnknownReason."""
        handoff = handoffs.find_handoff(session, id)
        if handoff is None:
            raise UnknownHandoff(f"no handoff {id}")
        agreed = self._assigner.policies.version(session, handoff.agreement_version)
        routing = agreed.agreement.routing
        if change is Change.LOST:
            check_reason(reason, routing.loss_reasons, what="loss reason")
            return {}
        then = {it.id: it.then for it in routing.reject_reasons}
        check_reason(reason, list(then), what="reject reason")
        return {"recycle": True} if then.get(reason) == "recycle" else {}


def _actor(caller: Caller) -> Actor:
    return Actor("rep" if caller.scope is KeyScope.REP else "ops", caller.subject)
