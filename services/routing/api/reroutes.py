"""Routes for re-routes: a plan for a rep's handoffs, its confirmation, its progress, its end."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from services.routing.api.reassignments import Reason
from services.routing.domain.answers import Actor
from services.routing.domain.assignment.request import UnknownRep
from services.routing.domain.handoff import Handoff
from services.routing.domain.reassignment import BY_OPS, Reassignment
from services.routing.domain.reroutes import (
    Move,
    MoveOutcome,
    Reroute,
    RerouteEnded,
    RerouteState,
)
from services.routing.handlers.assignment import Assigner
from services.routing.handlers.reroutes import (
    MAX_PLANNED,
    RerouteRunning,
    UnknownReroute,
    cancel_reroute,
    confirm_reroute,
    find_reroute,
    plan_reroute,
)
from services.routing.queries import handoffs
from services.routing.queries.reroutes import moves_of, progress_of
from shared.agreement.model import Id
from shared.auth.keys import UnknownKey, WrongScope
from shared.http.csv_tables import (
    CSV_RESPONSE,
    FORMAT,
    Format,
    columns_of,
    csv_of_pages,
    row_of,
    wants_csv,
)
from shared.http.dependencies import Now, Ops, OpsOrRead, Tx
from shared.http.pages import After, BadCursor, Cursor, Limit, Page, page_of
from shared.http.parameters import Position
from shared.http.problems import problems

CURSOR = Cursor("reroutes", tuple[Position])

RerouteId = Annotated[UUID, Path(description="The id of the re-route, as its plan has it.")]


class RerouteIn(BaseModel):
    """Whose handoffs are to go to others, and why."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"rep": "jonas", "reason": "has left"}]}
    )

    rep: Id = Field(description="The rep whose handoffs go to others.")
    reason: Reason | None = Field(
        default=None, description="Why, in words; it is published with each change."
    )


class PlannedShare(BaseModel):
    """How many of the handoffs a rep would get."""

    rep: str | None = Field(description="Null: they would wait.")
    count: int


class RerouteOut(BaseModel):
    """A re-route: what is planned, and how far it is."""

    id: UUID
    rep: str
    state: RerouteState
    actor: str
    reason: str
    planned_at: datetime
    confirmed_at: datetime | None
    ended_at: datetime | None
    total: int = Field(description=f"Its handoffs, at most {MAX_PLANNED}.")
    pending: int = Field(description="Those that it has not come to yet.")
    outcomes: dict[MoveOutcome, int] = Field(
        description="What became of the others; `skipped`: the rep did not hold it any more."
    )
    planned: list[PlannedShare] = Field(
        description="Who would get how many by the loads at the time of the plan, the most first."
    )

    @classmethod
    def of(cls, session: Session, reroute: Reroute) -> Self:
        """The re-route as it is now."""
        progress = progress_of(session, reroute.id)
        return cls(
            id=reroute.id,
            rep=reroute.rep,
            state=reroute.state,
            actor=reroute.actor,
            reason=reroute.reason,
            planned_at=reroute.planned_at,
            confirmed_at=reroute.confirmed_at,
            ended_at=reroute.ended_at,
            total=progress.total,
            pending=progress.pending,
            outcomes=progress.outcomes,
            planned=[
                PlannedShare(rep=rep, count=count) for rep, count in progress.planned.most_common()
            ],
        )


class MoveOut(BaseModel):
    """A handoff of a re-route."""

    handoff_id: UUID
    lead: str | None = Field(description="The lead's name, or else the e-mail address.")
    company: str | None
    team: str
    tier: str
    planned_rep: str | None = Field(description="Who would get it; null: it would wait.")
    outcome: MoveOutcome | None = Field(description="What became of it; null: nothing yet.")
    rep: str | None = Field(description="Who got it.")

    @classmethod
    def of(cls, move: Move, handoff: Handoff) -> Self:
        """The move with what its handoff is about."""
        context = handoff.lead.context
        return cls(
            handoff_id=move.handoff_id,
            lead=context.name or context.email,
            company=context.company,
            team=handoff.team,
            tier=handoff.tier,
            planned_rep=move.planned_rep,
            outcome=move.outcome,
            rep=move.rep,
        )


def router(assigner: Assigner) -> APIRouter:
    """The routes."""
    routes = APIRouter()

    @routes.post("/reroutes", responses=problems(UnknownKey, WrongScope, UnknownRep))
    def plan(session: Tx, caller: Ops, now: Now, body: RerouteIn) -> RerouteOut:
        """Plan who would get the handoffs that a rep holds. Nothing changes before the plan is confirmed.

        A plan replaces earlier ones for the rep that were not confirmed.
        """
        command = Reassignment(Actor("ops", caller.subject).id, body.reason or BY_OPS)
        reroute = plan_reroute(session, body.rep, command=command, assigner=assigner, now=now)
        return RerouteOut.of(session, reroute)

    routes.get("/reroutes/{id}", responses=problems(UnknownKey, WrongScope, UnknownReroute))(
        read_reroute
    )
    routes.get(
        "/reroutes/{id}/handoffs",
        response_model=Page[MoveOut],
        responses={
            **CSV_RESPONSE,
            **problems(UnknownKey, WrongScope, UnknownReroute, BadCursor),
        },
    )(list_moves)
    routes.post(
        "/reroutes/{id}/confirm",
        responses=problems(UnknownKey, WrongScope, UnknownReroute, RerouteRunning, RerouteEnded),
    )(confirm)
    routes.post(
        "/reroutes/{id}/cancel",
        responses=problems(UnknownKey, WrongScope, UnknownReroute, RerouteEnded),
    )(cancel)
    return routes


def read_reroute(id: RerouteId, session: Tx, _: OpsOrRead) -> RerouteOut:
    """Read a re-route with its progress."""
    return RerouteOut.of(session, find_reroute(session, id))


class MovesQuery(BaseModel):
    """Which page of a re-route's handoffs."""

    model_config = ConfigDict(extra="forbid")

    after: After = None
    limit: Limit = 50
    format: Format = Field(default=None, description=FORMAT)


def list_moves(
    request: Request,
    id: RerouteId,
    session: Tx,
    _: OpsOrRead,
    query: Annotated[MovesQuery, Query()],
) -> Page[MoveOut] | Response:
    """List the handoffs of a re-route in the order in which they are assigned."""
    reroute = find_reroute(session, id)
    if wants_csv(request, query.format):
        columns = list(columns_of(MoveOut))
        return csv_of_pages(
            request,
            "reroute",
            lambda after, limit: _page_of_moves(session, reroute, after=after, limit=limit),
            lambda move: row_of(move, columns),
            columns=columns,
        )
    return _page_of_moves(session, reroute, after=query.after, limit=query.limit)


def _page_of_moves(
    session: Session, reroute: Reroute, *, after: str | None, limit: int
) -> Page[MoveOut]:
    [position] = [None] if after is None else CURSOR.decode(after)
    moves = moves_of(session, reroute.id, after=position, limit=limit + 1)
    about = handoffs.handoffs_by_id(session, {it.handoff_id for it in moves})
    return page_of(
        moves,
        limit=limit,
        item=lambda it: MoveOut.of(it, about[it.handoff_id]),
        position=lambda it: (it.position,),
        cursor=CURSOR,
    )


def confirm(id: RerouteId, session: Tx, _: Ops, now: Now) -> RerouteOut:
    """Let the plan be carried out; a confirmation that is sent twice counts once.

    Each handoff is assigned by the rules and loads of that moment, so that its rep may be another than planned; it
    never comes back to the rep who loses it. One that the rep does not hold any more is skipped.
    """
    return RerouteOut.of(session, confirm_reroute(session, id, now=now))


def cancel(id: RerouteId, session: Tx, _: Ops, now: Now) -> RerouteOut:
    """End a re-route before it is done. What it has moved stays where it is."""
    return RerouteOut.of(session, cancel_reroute(session, id, now=now))
