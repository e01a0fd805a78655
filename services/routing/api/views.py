"""Routes for saved views: lists of handoffs under a name, one's own and those that others share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from services.routing.handlers.views import (
    MAX_VIEWS,
    TooManyViews,
    UnknownView,
    delete_view,
    save_view,
)
from services.routing.queries.views import View, views_of
from shared.auth.keys import Caller, InactiveRep, UnknownKey, WrongScope
from shared.http.dependencies import AnyReader, Now, OpsOrRep, Tx
from shared.http.parameters import PlainText
from shared.http.problems import problems

MAX_NAME = 100
MAX_QUERY = 2_000
MAX_SHARED = 500
"""So many views of others are listed at most."""

Name = Annotated[
    PlainText,
    Path(
        min_length=1,
        max_length=MAX_NAME,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="The view's name, unique among one's own.",
    ),
]

router = APIRouter()


class ViewIn(BaseModel):
    """What a view shows, and to whom."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"query": "state=waiting&team=inbound", "shared": True}]},
    )

    query: str = Field(
        max_length=MAX_QUERY,
        pattern=r"^[!-~]*$",
        description="The query string of the list of handoffs, percent-encoded.",
    )
    shared: bool = Field(default=False, description="Whether everybody who reads handoffs sees it.")


class ViewOut(BaseModel):
    """A saved view."""

    name: str
    query: str
    shared: bool
    owner: str = Field(description="Who saved it: ops/WHO or rep/ID.")
    is_own: bool = Field(description="Whether the caller saved it, and may change it.")
    saved_at: datetime

    @classmethod
    def of(cls, view: View, owner: str) -> Self:
        """The view as it is shown to this owner of views."""
        return cls(**view._asdict(), is_own=view.owner == owner)


class Views(BaseModel):
    """The caller's views, then those that others share."""

    items: list[ViewOut] = Field(description=f"At most {MAX_VIEWS} own and {MAX_SHARED} shared.")


@router.get("/views", responses=problems(UnknownKey, WrongScope, InactiveRep))
def list_views(session: Tx, caller: AnyReader) -> Views:
    """List the caller's saved views and those that others share, each by name."""
    owner = _owner(caller)
    listed = views_of(session, owner, max_shared=MAX_SHARED)
    return Views(items=[ViewOut.of(it, owner) for it in listed])


@router.put(
    "/views/{name:path}", responses=problems(UnknownKey, WrongScope, InactiveRep, TooManyViews)
)
def put_view(name: Name, session: Tx, caller: OpsOrRep, now: Now, body: ViewIn) -> ViewOut:
    """Save a view, in place of the caller's view of this name. Keys of one subject share their views."""
    view = View(_owner(caller), name, body.query, body.shared, now)
    save_view(session, view)
    return ViewOut.of(view, view.owner)


@router.delete(
    "/views/{name:path}",
    status_code=204,
    responses=problems(UnknownKey, WrongScope, InactiveRep, UnknownView),
)
def remove_view(name: Name, session: Tx, caller: OpsOrRep) -> None:
    """Delete the caller's view of this name."""
    delete_view(session, _owner(caller), name)


def _owner(caller: Caller) -> str:
    return f"{caller.scope}/{caller.subject}"
