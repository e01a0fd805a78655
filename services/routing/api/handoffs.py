"""Handoffs: where each one is, and why."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from services.routing.api.models import HandoffOut, HandoffStory
from services.routing.domain import visibility
from services.routing.domain.answers import NotYours
from services.routing.domain.handoff import State
from services.routing.handlers.answers import UnknownHandoff
from services.routing.handlers.assigner import Assigner
from services.routing.queries import changes, handoffs
from shared.auth.keys import Caller, InactiveRep, KeyScope, UnknownKey, WrongScope
from shared.http.dependencies import AnyReader, Tx
from shared.http.pages import After, BadCursor, Cursor, Limit, Page, paged
from shared.http.parameters import PlainText
from shared.http.problems import problems

CURSOR = Cursor("handoffs", tuple[AwareDatetime, UUID])


class Wanted(BaseModel):
    """Which handoffs."""

    model_config = ConfigDict(extra="forbid")

    state: State | None = None
    rep: PlainText | None = Field(
        default=None, description="Only this rep's; with a rep's key always theirs."
    )
    lead: UUID | None = None
    after: After = None
    limit: Limit = 50


def list_handoffs(
    session: Tx,
    caller: AnyReader,
    wanted: Annotated[Wanted, Query()],
) -> Page[HandoffOut]:
    """Handoffs, newest first."""
    rows = handoffs.list_handoffs(
        session,
        state=wanted.state,
        rep=caller.subject if caller.scope is KeyScope.REP else wanted.rep,
        lead=wanted.lead,
        before=None if wanted.after is None else CURSOR.decode(wanted.after),
        limit=wanted.limit + 1,
    )
    return paged(
        rows,
        limit=wanted.limit,
        item=HandoffOut.of,
        position=lambda it: (it.qualified_at, it.id),
        cursor=CURSOR,
    )


def router(assigner: Assigner) -> APIRouter:
    """The routes."""
    routes = APIRouter()
    routes.get("/handoffs", responses=problems(UnknownKey, WrongScope, InactiveRep, BadCursor))(
        list_handoffs
    )

    @routes.get(
        "/handoffs/{id}",
        responses=problems(UnknownKey, WrongScope, InactiveRep, NotYours, UnknownHandoff),
    )
    def read_handoff(id: UUID, session: Tx, caller: AnyReader) -> HandoffStory:
        """One handoff with its decisions, its life and its deliveries."""
        return story(session, id, caller, assigner)

    return routes


def story(session: Session, id: UUID, caller: Caller, assigner: Assigner) -> HandoffStory:
    """The handoff as the caller may see it: a rep, if they hold it or held it, as it was until they lost it."""
    found = handoffs.find_handoff(session, id)
    if found is None:
        raise UnknownHandoff(f"no handoff {id}")
    past = changes.past_of(session, id)
    if caller.scope is not KeyScope.REP:
        return HandoffStory.told(session, found, past, assigner)
    seen = visibility.past_for(caller.subject, found, past)
    if not seen:
        raise NotYours(f"handoff {id} is not with you")
    return HandoffStory.for_rep(session, found, seen, assigner, rep=caller.subject)
