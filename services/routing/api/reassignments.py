"""The route for reassignments by ops."""

from __future__ import annotations

from typing import Annotated, Self

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.routing.api.answers import AnswerOut
from services.routing.api.handoffs import HandoffId
from services.routing.domain.answers import Actor, HandoffMoved
from services.routing.domain.assignment.eligibility import RequestedRep
from services.routing.domain.assignment.request import NotEligible, UnknownRep
from services.routing.domain.reassignment import BY_OPS, Reassignment
from services.routing.handlers import on_reassignment
from services.routing.handlers.answers import UnknownHandoff
from services.routing.handlers.assignment import Assigner
from services.routing.handlers.explanation import read_history
from shared.agreement.model import Id
from shared.auth.keys import UnknownKey, WrongScope
from shared.http.dependencies import Now, Ops, Tx
from shared.http.parameters import PlainText
from shared.http.problems import problems

Hop = Annotated[int, Field(ge=0, le=2**31 - 1)]
Reason = Annotated[PlainText, Field(min_length=1, max_length=500)]


class ReassignIn(BaseModel):
    """Ops take the lead from the rep who holds it, and another gets it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"hop": 1, "reason": "on leave from today"}]},
    )

    hop: Hop = Field(
        description="The hop that is ended, as the handoff shows it; a command that is sent twice counts once."
    )
    to: Id | None = Field(
        default=None,
        description="The rep who shall get it, if eligible; without it, the routing rule's strategy selects one.",
    )
    force: bool = Field(
        default=False,
        description="Let `to` get it beyond capacity and outside working hours; needs a `reason`.",
    )
    reason: Reason | None = Field(
        default=None, description="Why, in words; it is published with the change."
    )

    @model_validator(mode="after")
    def _force_has_rep_and_reason(self) -> Self:
        if self.force and (self.to is None or self.reason is None):
            raise ValueError("`force` needs `to` and a `reason`")
        return self

    def command(self, actor: Actor) -> Reassignment:
        """The command of this actor."""
        request = None if self.to is None else RequestedRep(self.to, force=self.force)
        return Reassignment(actor.id, self.reason or BY_OPS, request)


def router(assigner: Assigner) -> APIRouter:
    """The route."""
    routes = APIRouter()

    @routes.post(
        "/handoffs/{id}/reassign",
        responses=problems(
            UnknownKey, WrongScope, UnknownHandoff, HandoffMoved, UnknownRep, NotEligible
        ),
    )
    def reassign(id: HandoffId, session: Tx, caller: Ops, now: Now, body: ReassignIn) -> AnswerOut:
        """Take the handoff from its rep and assign it to another who has not had it, or to the rep `to`.

        A waiting handoff needs `to`. The rep who loses it is notified with `handoff.withdrawn`.
        """
        command = body.command(Actor("ops", caller.subject))
        on_reassignment(session, id, command, hop=body.hop, assigner=assigner, now=now)
        history = read_history(session, id, rep=None, assigner=assigner)
        return AnswerOut.of(history)

    return routes
