"""The route for reps: their limits, and how many handoffs each holds."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from services.routing.queries import endpoints, handoffs, reps
from shared.auth.keys import InactiveRep, KeyScope, UnknownKey, WrongScope
from shared.http.dependencies import AnyReader, Tx
from shared.http.problems import problems

router = APIRouter()


class RepOut(BaseModel):
    """A rep with their limits."""

    id: str
    name: str
    team: str
    active: bool
    weight: float
    holds: int
    open_limit: int | None
    per_day_limit: int | None
    endpoint_disabled: str | None


class Reps(BaseModel):
    """All reps, or the caller."""

    items: list[RepOut]


@router.get("/reps", responses=problems(UnknownKey, WrongScope, InactiveRep))
def list_reps(session: Tx, caller: AnyReader) -> Reps:
    """List the reps by team and rank; with a rep's key only that rep."""
    only = [caller.subject] if caller.scope is KeyScope.REP else None
    listed = reps.reps_by_id(session, only)
    held = handoffs.held_by(session, [it.id for it in listed])
    disabled = endpoints.disabled_endpoints(session)
    return Reps(
        items=[
            RepOut(
                id=it.id,
                name=it.name,
                team=it.team,
                active=it.active,
                weight=it.weight,
                holds=held.get(it.id, 0),
                open_limit=it.open_limit,
                per_day_limit=it.per_day_limit,
                endpoint_disabled=disabled.get(f"rep/{it.id}"),
            )
            for it in listed
        ]
    )
