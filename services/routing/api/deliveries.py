"""Routes for deliveries: their list with all attempts, and redelivery."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from services.routing.queries import deliveries, delivery_lists
from shared.auth.keys import UnknownKey, WrongScope
from shared.errors import Rejected
from shared.http.dependencies import Now, Ops, OpsOrRead, Tx
from shared.http.pages import After, BadCursor, Cursor, Limit, Page, page_of
from shared.http.parameters import SINCE, UNTIL, EmptyRange, Position, Since, Until, time_range
from shared.http.problems import problems

router = APIRouter()

DeliveryId = Annotated[
    UUID, Path(description="The id of the delivery, which is the `webhook-id` of its attempts.")
]


class UnknownDelivery(Rejected):
    """There is no such delivery."""

    code = "unknown_delivery"
    status = 404


DeliveryState = Literal["pending", "delivered", "exhausted", "cancelled"]


class AttemptOut(BaseModel):
    """One attempt of a webhook."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    at: datetime
    took_ms: float
    status: int | None
    detail: str = Field(description="The head of the response, or what went wrong.")


class DeliveryOut(BaseModel):
    """A notification on its way to an endpoint, with its attempts."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="The webhook-id of every attempt.")
    endpoint: str
    handoff_id: UUID
    hop: int
    type: str
    state: str = Field(description="pending, delivered, exhausted or cancelled")
    attempt_count: int
    next_attempt_at: datetime
    created_at: datetime
    ended_at: datetime | None
    attempts: list[AttemptOut]


CURSOR = Cursor("deliveries", tuple[Position])


class DeliveryFilter(BaseModel):
    """Which deliveries are listed."""

    model_config = ConfigDict(extra="forbid")

    state: DeliveryState | None = Field(default=None, description="Only deliveries in this state.")
    handoff: UUID | None = Field(
        default=None, description="Only deliveries of the handoff with this id."
    )
    since: Since | None = Field(default=None, description=f"Created {SINCE}")
    until: Until | None = Field(default=None, description=f"Created {UNTIL}")
    after: After = None
    limit: Limit = 50


@router.get("/deliveries", responses=problems(UnknownKey, WrongScope, BadCursor, EmptyRange))
def list_deliveries(
    session: Tx,
    _: OpsOrRead,
    filter_: Annotated[DeliveryFilter, Query()],
) -> Page[DeliveryOut]:
    """List deliveries with their attempts, newest first."""
    matching = delivery_lists.list_deliveries(
        session,
        delivery_lists.DeliveryFilter(
            state=filter_.state,
            handoff=filter_.handoff,
            created=time_range(filter_.since, filter_.until),
        ),
        before=None if filter_.after is None else CURSOR.decode(filter_.after)[0],
        limit=filter_.limit + 1,
    )
    return page_of(
        matching,
        limit=filter_.limit,
        item=DeliveryOut.model_validate,
        position=lambda it: (it.position,),
        cursor=CURSOR,
    )


@router.post(
    "/deliveries/{id}/redeliver",
    status_code=202,
    responses=problems(UnknownKey, WrongScope, UnknownDelivery),
)
def redeliver(id: DeliveryId, session: Tx, _: Ops, now: Now) -> DeliveryOut:
    """Start the attempts of a delivery anew, with the same id, as after its endpoint was repaired."""
    if not deliveries.redeliver(session, id, now=now):
        raise UnknownDelivery(f"no delivery {id}")
    [delivery] = delivery_lists.list_deliveries(
        session, delivery_lists.DeliveryFilter(id=id), limit=1
    )
    return DeliveryOut.model_validate(delivery)
