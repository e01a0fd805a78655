"""The route for the names of reps, which pages need beside ids: without loads, hours and shares, which take longer."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from services.routing.api.handoffs import rep_of
from services.routing.queries.reps import rep_names
from shared.auth.keys import InactiveRep, UnknownKey, WrongScope
from shared.http.dependencies import AnyReader, Tx
from shared.http.problems import problems

router = APIRouter()


class RepNameOut(BaseModel):
    """A rep's id with the name."""

    id: str
    name: str


class RepNamesOut(BaseModel):
    """All reps, or the caller, by team and rank; inactive ones too, who are named in what is past."""

    items: list[RepNameOut]


@router.get("/reps/names", responses=problems(UnknownKey, WrongScope, InactiveRep))
def list_rep_names(session: Tx, caller: AnyReader) -> RepNamesOut:
    """List the names of the reps by their ids, of active and inactive ones; with a rep's key only that rep."""
    names = rep_names(session, rep=rep_of(caller))
    return RepNamesOut(items=[RepNameOut(id=id, name=name) for id, name in names.items()])
