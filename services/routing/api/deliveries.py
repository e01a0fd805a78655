"""Deliveries: what was told to whom, and what could not be."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from services.routing.api.models import DeliveryOut, with_attempts
from services.routing.queries import deliveries
from shared.auth.keys import UnknownKey, WrongScope
from shared.errors import Rejected
from shared.http.dependencies import Now, Ops, OpsOrRead, Tx
from shared.http.pages import After, BadCursor, Cursor, Limit, Page, paged
from shared.http.parameters import Position
from shared.http.problems import problems

router = APIRouter()


class UnknownDelivery(Rejected):
    """There is no such delivery."""

    code = "unknown_delivery"
    status = 404


State = Literal["pending", "delivered", "exhausted", "cancelled"]


CURSOR = Cursor("deliveries", tuple[Position])


class Wanted(BaseModel):
    """Which deliveries."""

    model_config = ConfigDict(extra="forbid")

    state: State | None = None
    handoff: UUID | None = None
    after: After = None
    limit: Limit = 50


@router.get("/deliveries", responses=problems(UnknownKey, WrongScope, BadCursor))
def list_deliveries(
    session: Tx,
    _: OpsOrRead,
    wanted: Annotated[Wanted, Query()],
) -> Page[DeliveryOut]:
    """Deliveries with their tries, newest first."""
    rows = deliveries.list_deliveries(
        session,
        state=wanted.state,
        handoff=wanted.handoff,
        before=None if wanted.after is None else CURSOR.decode(wanted.after)[0],
        limit=wanted.limit + 1,
    )
    shown = {it.id: it for it in with_attempts(session, rows)}
    return paged(
        rows,
        limit=wanted.limit,
        item=lambda row: shown[row.id],
        position=lambda row: (row.position,),
        cursor=CURSOR,
    )


@router.post(
    "/deliveries/{id}/redeliver",
    status_code=202,
    responses=problems(UnknownKey, WrongScope, UnknownDelivery),
)
def redeliver(id: UUID, session: Tx, _: Ops, now: Now) -> DeliveryOut:
    """Tell it again, with the same id: to an endpoint that was mended."""
    if not deliveries.redeliver(session, id, now=now):
        raise UnknownDelivery(f"no delivery {id}")
    [row] = deliveries.list_deliveries(session, id=id, limit=1)
    return with_attempts(session, [row])[0]
