"""Saves and deletes views: lists of handoffs under a name."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy.orm import Session

from services.routing.queries import views
from services.routing.queries.views import View
from shared.errors import Rejected

MAX_VIEWS = 100
"""The most views of one owner."""


class UnknownView(Rejected):
    """The caller has no view of this name."""

    code: ClassVar[str] = "unknown_view"
    status: ClassVar[int] = 404


class TooManyViews(Rejected):
    """The caller has as many views as one may have."""

    code: ClassVar[str] = "too_many_views"
    status: ClassVar[int] = 409


def save_view(session: Session, view: View) -> None:
    """Save the view, in place of its owner's view of this name; raises TooManyViews."""
    if views.count_others(session, view.owner, view.name) >= MAX_VIEWS:
        raise TooManyViews(
            f"you have {MAX_VIEWS} views, and no more can be saved: delete one first"
        )
    views.save_view(session, view)


def delete_view(session: Session, owner: str, name: str) -> None:
    """Delete the owner's view; raises UnknownView."""
    if not views.delete_view(session, owner, name):
        raise UnknownView(
            "you have no view of this name: GET /v1/views lists yours and shared ones"
        )
