"""Routes for answers of reps, or of ops for a rep. An answer that is sent twice counts once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.orm import Session

from services.routing.api.handoffs import HandoffId, rep_of
from services.routing.api.steps import StepOut
from services.routing.domain.answers import (
    Actor,
    Answer,
    HandoffMoved,
    ImpossibleTime,
    NotYours,
    TooManyAnswers,
)
from services.routing.domain.handoff import State
from services.routing.domain.terms import UnknownReason
from services.routing.handlers.answers import UnknownHandoff, on_answer
from services.routing.handlers.assignment import Assigner
from services.routing.handlers.explanation import HandoffHistory, read_history
from shared.agreement.model import Id
from shared.auth.keys import Caller, InactiveRep, KeyScope, UnknownKey, WrongScope
from shared.contracts.payloads import Change
from shared.http.dependencies import Now, OpsOrRep, Tx
from shared.http.parameters import Count, DateOrInstant, Note
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
    TooManyAnswers,
)


MAX_AMOUNT = 1e12
"""The upper bound of amounts, in any currency."""


class AnswerIn(BaseModel):
    """What every answer may say: when it happened, which hop it is for, and a note."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"occurred_at": "2026-11-18T09:30:00Z", "hop": 1}]},
    )

    occurred_at: DateOrInstant | None = Field(
        default=None,
        description="When it happened: an instant, or a date, which stands for the end of the rep's day, or for now "
        "while that day lasts. By default now. With it, an answer that is sent twice surely counts once.",
    )
    hop: Count | None = Field(
        default=None,
        description="The hop that the answer is for; the answer is refused if that hop is over.",
    )
    note: Note | None = Field(
        default=None,
        description="What else the rep wants to say, for ops and for reps who have the lead later. It stays in the "
        "handoff's history and is published nowhere; an answer that is sent again with another note is the same.",
    )

    def details(self) -> dict[str, Any]:
        """The other fields of the answer."""
        return self.model_dump(exclude={"occurred_at", "hop"}, exclude_none=True)


class RejectIn(AnswerIn):
    """A rep hands the lead back."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "no_capacity"}]}
    )

    reason: Id = Field(description="One of the agreement's `reject_reasons`.")


class ContactIn(AnswerIn):
    """A rep contacted the lead, or tried to."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"channel": "phone", "outcome": "reached"}]}
    )

    channel: Id = Field(description="phone, email, …")
    outcome: Id = Field(
        description="One of the agreement's `contact_outcomes`; any, such as no_answer, where it lists none."
    )


class PauseIn(AnswerIn):
    """A rep pauses promises, as the lead asked for time or cannot be reached for a while."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "asked_for_later"}]}
    )

    reason: Id = Field(description="One of the agreement's `pause_reasons`.")


class WinIn(AnswerIn):
    """The lead became a customer."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"amount": 12000, "currency": "EUR"}]}
    )

    amount: float | None = Field(
        default=None,
        ge=0,
        le=MAX_AMOUNT,
        allow_inf_nan=False,
        description="What the lead is worth.",
    )
    currency: str | None = Field(
        default=None, pattern=r"^[A-Z]{3}$", description="The currency of the amount (ISO 4217)."
    )

    @model_validator(mode="after")
    def _amount_has_currency(self) -> Self:
        if (self.amount is None) != (self.currency is None):
            raise ValueError("amount and currency go together")
        return self


class LoseIn(AnswerIn):
    """The lead decided against us."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "price"}]})

    reason: Id = Field(description="One of the agreement's `loss_reasons`.")


OptionalAnswer = Annotated[AnswerIn, Body(default_factory=AnswerIn)]
OptionalWin = Annotated[WinIn, Body(default_factory=WinIn)]


class AnswerOut(BaseModel):
    """The handoff after the answer, in brief; GET `/v1/handoffs/{id}` shows it with its decisions and its history."""

    id: UUID
    lead_id: UUID
    state: State
    team: str
    rep: str | None = Field(description="The rep who holds it; after won or lost, the rep who did.")
    hop: int
    paused_until: datetime | None = Field(
        description="When its pause is over by itself; null where it is not paused."
    )
    last_step: StepOut = Field(description="The last step: this answer, or what followed from it.")

    @classmethod
    def of(cls, history: HandoffHistory) -> Self:
        """The handoff with its last step that the caller may see."""
        handoff = history.handoff
        return cls(
            id=handoff.id,
            lead_id=handoff.lead_id,
            state=handoff.state,
            team=handoff.team,
            rep=handoff.rep,
            hop=handoff.hop,
            paused_until=handoff.paused_until,
            last_step=StepOut.of(history.steps[-1]),
        )


def router(assigner: Assigner) -> APIRouter:
    """The routes. Each responds with the handoff in brief."""
    routes = APIRouter()

    @routes.post("/handoffs/{id}/accept", responses=RESPONSES)
    def accept(
        id: HandoffId, session: Tx, caller: OpsOrRep, now: Now, body: OptionalAnswer
    ) -> AnswerOut:
        """Accept the lead."""
        return _take_answer(session, id, _answer(Change.ACCEPTED, body), caller, assigner, now)

    @routes.post("/handoffs/{id}/reject", responses=RESPONSES)
    def reject(id: HandoffId, session: Tx, caller: OpsOrRep, now: Now, body: RejectIn) -> AnswerOut:
        """Hand the lead back: to another rep, to marketing, or for good, as the reason in the agreement says."""
        return _take_answer(session, id, _answer(Change.REJECTED, body), caller, assigner, now)

    @routes.post("/handoffs/{id}/contact", responses=RESPONSES)
    def contact(
        id: HandoffId, session: Tx, caller: OpsOrRep, now: Now, body: ContactIn
    ) -> AnswerOut:
        """Report a contact with the lead.

        The same report within a minute of this one counts once; later it is another contact. With `occurred_at` it
        counts once whenever it is sent again. A won handoff takes those with one of its `outcomes_after_win` alone.
        """
        return _take_answer(session, id, _answer(Change.CONTACTED, body), caller, assigner, now)

    _add_pauses(routes, assigner)

    @routes.post("/handoffs/{id}/win", responses=RESPONSES)
    def win(id: HandoffId, session: Tx, caller: OpsOrRep, now: Now, body: OptionalWin) -> AnswerOut:
        """Close the handoff as won."""
        return _take_answer(session, id, _answer(Change.WON, body), caller, assigner, now)

    @routes.post("/handoffs/{id}/lose", responses=RESPONSES)
    def lose(id: HandoffId, session: Tx, caller: OpsOrRep, now: Now, body: LoseIn) -> AnswerOut:
        """Close the handoff as lost."""
        return _take_answer(session, id, _answer(Change.LOST, body), caller, assigner, now)

    return routes


def _add_pauses(routes: APIRouter, assigner: Assigner) -> None:
    @routes.post("/handoffs/{id}/pause", responses=RESPONSES)
    def pause(id: HandoffId, session: Tx, caller: OpsOrRep, now: Now, body: PauseIn) -> AnswerOut:
        """Pause the promises that the reason names, until the handoff is resumed or the reason's longest time is over.

        A pause within another one changes nothing. The pause ends with the hop, too. Clocks of the kinds that
        the reason names stop meanwhile, and are due later.
        """
        return _take_answer(session, id, _answer(Change.PAUSED, body), caller, assigner, now)

    @routes.post("/handoffs/{id}/resume", responses=RESPONSES)
    def resume(
        id: HandoffId, session: Tx, caller: OpsOrRep, now: Now, body: OptionalAnswer
    ) -> AnswerOut:
        """End the pause. A resumption that is reported before its pause ends the pause all the same."""
        return _take_answer(session, id, _answer(Change.RESUMED, body), caller, assigner, now)


def _take_answer(
    session: Session,
    id: UUID,
    rep_answer: Answer,
    caller: Caller,
    assigner: Assigner,
    now: datetime,
) -> AnswerOut:
    on_answer(session, id, rep_answer, actor=_actor(caller), assigner=assigner, now=now)
    history = read_history(session, id, rep=rep_of(caller), assigner=assigner)
    return AnswerOut.of(history)


def _answer(change: Change, body: AnswerIn) -> Answer:
    return Answer(change, body.occurred_at, body.hop, body.details())


def _actor(caller: Caller) -> Actor:
    return Actor("rep" if caller.scope is KeyScope.REP else "ops", caller.subject)
