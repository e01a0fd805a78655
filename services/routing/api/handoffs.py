"""Routes for handoffs: their list, and one with its decisions, its history and its deliveries."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from services.routing.api.choices import OutcomeOut, PauseReasonOut, ReasonOut
from services.routing.api.deliveries import DeliveryOut
from services.routing.api.steps import EscalationOut, StepOut
from services.routing.domain.answers import NotYours
from services.routing.domain.handoff import Handoff, State
from services.routing.handlers.answers import UnknownHandoff
from services.routing.handlers.assignment import Assigner
from services.routing.handlers.explanation import HandoffHistory, read_history
from services.routing.queries import lists
from shared.auth.keys import Caller, InactiveRep, KeyScope, UnknownKey, WrongScope
from shared.contracts.payloads import LeadContext, Scores
from shared.http.csv_tables import CSV_RESPONSE, FORMAT, Format, csv_of_pages, wants_csv
from shared.http.dependencies import AnyReader, Tx
from shared.http.pages import After, BadCursor, Cursor, Limit, Page, page_of
from shared.http.parameters import SINCE, UNTIL, EmptyRange, PlainText, Since, Until, time_range
from shared.http.problems import problems

HandoffId = Annotated[
    UUID, Path(description="The id of the handoff, as lists and webhooks have it.")
]


class HandoffOut(BaseModel):
    """A handoff as it is now."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    lead_id: UUID
    qualification: int
    state: State
    team: str
    rule: str
    rep: str | None = Field(description="The rep who holds it; after won or lost, the rep who did.")
    hop: int
    tier: str
    cause: str
    qualified_at: datetime
    assigned_at: datetime | None
    closed_at: datetime | None
    merged_into: UUID | None
    paused_until: datetime | None = Field(
        description="When its last pause is over by itself; once this has passed, it is not paused."
    )
    pause_reason: str | None = Field(description="The reason of that pause.")
    pooled: bool = Field(description="Whether it waits in the pool, until ops assign it.")
    agreement_version: int
    scores: Scores
    lead: LeadContext

    @classmethod
    def of(cls, handoff: Handoff) -> Self:
        """The handoff, with its lead as it was announced."""
        fields = {
            name: getattr(handoff, name)
            for name in cls.model_fields
            if name not in ("cause", "scores", "lead")
        }
        lead = {
            "cause": handoff.lead.cause,
            "scores": handoff.lead.scores,
            "lead": handoff.lead.context,
        }
        return cls.model_validate({**fields, **lead})


class HandoffDetails(HandoffOut):
    """A handoff with its decisions, its history and its deliveries."""

    decision: dict[str, Any] | None = Field(
        description="The newest decision: why this rep, or why none."
    )
    decisions: list[dict[str, Any]] = Field(
        description="One decision for each hop. Each candidate who lost has the `nearest_change` with which it would "
        "have been picked: the `exclusions` that would have to end, and the `gap` to the `rival` who came first; "
        "`margin` is how far the picked rep came before the next one. Both are null where `reproduced` is false: this "
        "version would decide otherwise from the same record. With a rep's key, of the candidates only the rep's own "
        "row, without comparisons."
    )
    history: list[StepOut] = Field(
        description="Its steps; with the key of a rep who held it earlier, up to the step that took it from them."
    )
    escalations: list[EscalationOut] = Field(
        description="The steps of ladders that were to take it from its rep, and what came of each; with a rep's key, "
        "those of the rep's own hop."
    )
    deliveries: list[DeliveryOut] = Field(
        description="Its deliveries; with a rep's key, those to the rep."
    )
    reject_reasons: list[ReasonOut] = Field(
        description="The reasons with which it may be rejected, by its version of the agreement."
    )
    loss_reasons: list[str] = Field(description="The reasons with which it may be lost.")
    contact_outcomes: list[OutcomeOut] = Field(
        description="What a contact may come to; anything, where the list is empty."
    )
    outcomes_after_win: list[str] = Field(
        description="Of a won handoff: the outcomes of contacts that it takes still, by promises of satisfaction."
    )
    pause_reasons: list[PauseReasonOut] = Field(
        description="The reasons with which it may be paused; where the list is empty, it cannot be."
    )

    @classmethod
    def of_history(cls, history: HandoffHistory) -> Self:
        """The handoff with its decisions, its steps and its deliveries."""
        decisions = list(history.decisions)
        return cls(
            **HandoffOut.of(history.handoff).model_dump(),
            decision=decisions[-1] if decisions else None,
            decisions=decisions,
            history=[StepOut.of(it) for it in history.steps],
            escalations=[EscalationOut.model_validate(it) for it in history.escalations],
            deliveries=[DeliveryOut.model_validate(it) for it in history.deliveries],
            reject_reasons=[ReasonOut.model_validate(it) for it in history.routing.reject_reasons],
            loss_reasons=list(history.routing.loss_reasons),
            contact_outcomes=[
                OutcomeOut.model_validate(it) for it in history.routing.contact_outcomes
            ],
            outcomes_after_win=list(history.outcomes_after_win),
            pause_reasons=[PauseReasonOut.of(it) for it in history.routing.pause_reasons],
        )


CURSOR = Cursor("handoffs", tuple[AwareDatetime, UUID])


class Sort(StrEnum):
    """The order of a list, by the qualification."""

    NEWEST = "newest"
    OLDEST = "oldest"


class HandoffFilter(BaseModel):
    """Which handoffs are listed, and in which order."""

    model_config = ConfigDict(extra="forbid")

    state: list[State] = Field(
        default=[],
        max_length=len(State),
        description="Only handoffs in this state; repeated, in one of these.",
    )
    team: PlainText | None = Field(default=None, description="Only handoffs of this team.")
    rep: PlainText | None = Field(
        default=None,
        description="Only handoffs of this rep; with a rep's key always the rep's own.",
    )
    tier: PlainText | None = Field(default=None, description="Only handoffs of this tier.")
    source: PlainText | None = Field(
        default=None, description="Only handoffs of leads that this source sent events of."
    )
    campaign: PlainText | None = Field(
        default=None,
        description="Only handoffs of leads whose last campaign, or else whose first, has this name.",
    )
    lead: UUID | None = Field(default=None, description="Only handoffs of the lead with this id.")
    since: Since | None = Field(default=None, description=f"Qualified {SINCE}")
    until: Until | None = Field(default=None, description=f"Qualified {UNTIL}")
    sort: Sort = Field(default=Sort.NEWEST, description="By the qualification.")
    after: After = None
    limit: Limit = 50
    format: Format = Field(default=None, description=FORMAT)

    def of_caller(self, caller: Caller) -> lists.HandoffFilter:
        """Which handoffs the caller gets."""
        return lists.HandoffFilter(
            states=self.state,
            team=self.team,
            rep=rep_of(caller) or self.rep,
            tier=self.tier,
            source=self.source,
            campaign=self.campaign,
            leads=None if self.lead is None else [self.lead],
            times=time_range(self.since, self.until),
        )


def list_handoffs(
    session: Session, caller: Caller, filter_: HandoffFilter, *, max_examined: int
) -> Page[HandoffOut]:
    """The page; one that ends early, because it has examined as many handoffs as it may, has a cursor to the next."""
    listed = lists.list_handoffs(
        session,
        filter_.of_caller(caller),
        lists.Slice(
            after=None if filter_.after is None else CURSOR.decode(filter_.after),
            limit=filter_.limit + 1,
            newest_first=filter_.sort is Sort.NEWEST,
        ),
        max_examined=max_examined,
    )
    page = page_of(
        listed.handoffs,
        limit=filter_.limit,
        item=HandoffOut.of,
        position=lambda it: (it.qualified_at, it.id),
        cursor=CURSOR,
    )
    if page.next is None and listed.examined_to is not None:
        page.next = CURSOR.encode(*listed.examined_to)
    return page


_OF_HANDOFF = (
    "id", "lead_id", "qualification", "state", "team", "rule", "rep", "hop", "tier", "cause",
    "qualified_at", "assigned_at", "closed_at", "merged_into", "agreement_version",
)  # fmt: skip
_OF_SCORES = ("fit", "engagement", "grade")
_OF_LEAD = ("email", "phone", "name", "company", "account", "sources")
COLUMNS = (*_OF_HANDOFF, *_OF_SCORES, *(f"lead_{it}" for it in _OF_LEAD))
"""The columns of handoffs as CSV."""


def handoff_row(handoff: HandoffOut) -> dict[str, object]:
    """The handoff as a row of a CSV."""
    return {
        **{it: getattr(handoff, it) for it in _OF_HANDOFF},
        **{it: getattr(handoff.scores, it) for it in _OF_SCORES},
        **{f"lead_{it}": getattr(handoff.lead, it) for it in _OF_LEAD},
    }


def router(assigner: Assigner) -> APIRouter:
    """The routes."""
    routes = APIRouter()

    @routes.get(
        "/handoffs",
        response_model=Page[HandoffOut],
        responses={
            **CSV_RESPONSE,
            **problems(UnknownKey, WrongScope, InactiveRep, BadCursor, EmptyRange),
        },
    )
    def read_handoffs(
        request: Request,
        session: Tx,
        caller: AnyReader,
        filter_: Annotated[HandoffFilter, Query()],
    ) -> Page[HandoffOut] | Response:
        """List handoffs, newest first. A page may end before its limit although `next` names another."""

        def page_after(cursor: str | None, limit: int) -> Page[HandoffOut]:
            narrowed = filter_.model_copy(update={"after": cursor, "limit": limit})
            return list_handoffs(session, caller, narrowed, max_examined=lists.MAX_EXAMINED)

        if wants_csv(request, filter_.format):
            return csv_of_pages(request, "handoffs", page_after, handoff_row, columns=COLUMNS)
        return page_after(filter_.after, filter_.limit)

    @routes.get(
        "/handoffs/{id}",
        responses=problems(UnknownKey, WrongScope, InactiveRep, NotYours, UnknownHandoff),
    )
    def read_handoff(id: HandoffId, session: Tx, caller: AnyReader) -> HandoffDetails:
        """Read one handoff with its decisions, its history and its deliveries."""
        history = read_history(session, id, rep=rep_of(caller), assigner=assigner)
        return HandoffDetails.of_history(history)

    return routes


def rep_of(caller: Caller) -> str | None:
    """The rep whose key the caller has; None for other callers, who may see everything."""
    return caller.subject if caller.scope is KeyScope.REP else None
