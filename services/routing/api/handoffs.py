"""Handoffs: where each one is, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session

from services.routing.api.models import HandoffOut, HandoffStory
from services.routing.domain.answers import NotYours
from services.routing.domain.handoff import State
from services.routing.handlers.answering import UnknownHandoff
from services.routing.handlers.office import Office
from services.routing.queries import changes, handoffs
from shared.http.dependencies import OpsOrRep, Tx
from shared.http.keys import Caller, KeyScope, UnknownKey, WrongScope
from shared.http.pages import After, BadCursor, Limit, Page, decode, paged
from shared.http.problems import problems


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which handoffs."""

    state: State | None = None
    rep: Annotated[
        str | None, Query(description="Only this rep's; with a rep's key always theirs.")
    ] = None
    lead: UUID | None = None


def list_handoffs(
    session: Tx,
    caller: OpsOrRep,
    wanted: Annotated[Wanted, Depends()],
    after: After = None,
    limit: Limit = 50,
) -> Page[HandoffOut]:
    """Handoffs, newest first."""
    rows = handoffs.list_handoffs(
        session,
        state=wanted.state,
        rep=caller.subject if caller.scope is KeyScope.REP else wanted.rep,
        lead=wanted.lead,
        before=decode(after, tuple[datetime, UUID]) if after else None,
        most=limit + 1,
    )
    return paged(
        rows, limit=limit, item=HandoffOut.of, position=lambda it: (it.qualified_at, it.id)
    )


def router(office: Office) -> APIRouter:
    """The routes."""
    routes = APIRouter()
    routes.get("/handoffs", responses=problems(UnknownKey, WrongScope, BadCursor))(list_handoffs)

    @routes.get(
        "/handoffs/{id}", responses=problems(UnknownKey, WrongScope, NotYours, UnknownHandoff)
    )
    def read_handoff(id: UUID, session: Tx, caller: OpsOrRep) -> HandoffStory:
        """One handoff with its decisions, its life and its deliveries."""
        return story(session, id, caller, office)

    return routes


def story(session: Session, id: UUID, caller: Caller, office: Office) -> HandoffStory:
    """The handoff as the caller may see it: a rep, if they hold it or held it."""
    found = handoffs.find_handoff(session, id)
    if found is None:
        raise UnknownHandoff(f"no handoff {id}")
    past = changes.past_of(session, id)
    theirs = caller.scope is KeyScope.OPS or any(it.rep == caller.subject for it in past)
    if not theirs:
        raise NotYours(f"handoff {id} is not with you")
    return HandoffStory.told(session, found, past, office)
