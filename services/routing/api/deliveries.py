"""Routes for deliveries: their list with all attempts, redelivery of one, and the replay of a range."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from services.routing.domain.endpoints import (
    EndpointIsDisabled,
    TooManyDeliveries,
    UnknownEndpoint,
)
from services.routing.handlers.replays import replay as replay_deliveries
from services.routing.queries import deliveries, delivery_lists
from services.routing.queries.deliveries import ReplayRange
from services.routing.queries.delivery_lists import StatusClass
from shared.auth.keys import UnknownKey, WrongScope
from shared.errors import Rejected
from shared.http.csv_tables import CSV_RESPONSE, FORMAT, Format, csv_of_pages, wants_csv
from shared.http.dependencies import Now, Ops, OpsOrRead, Tx
from shared.http.pages import After, BadCursor, Cursor, Limit, Page, page_of
from shared.http.parameters import (
    SINCE,
    UNTIL,
    EmptyRange,
    Instant,
    Position,
    Since,
    Until,
    time_range,
)
from shared.http.problems import problems

router = APIRouter()

ENDPOINT_PATTERN = r"^(ops|marketing|(rep|team)/[^/\x00-\x1f]{1,200})$"
DeliveryId = Annotated[
    UUID, Path(description="The id of the delivery, which is the `webhook-id` of its attempts.")
]


class UnknownDelivery(Rejected):
    """There is no such delivery."""

    code = "unknown_delivery"
    status = 404


EndpointName = Annotated[
    str,
    Field(
        pattern=ENDPOINT_PATTERN,
        description="rep/ID, team/ID, ops or marketing, as the list shows it.",
    ),
]
WebhookType = Annotated[
    str,
    Field(
        pattern=r"^[a-z]{1,40}\.[a-z_]{1,40}$", description="A type, such as `handoff.assigned`."
    ),
]

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
    handoff_id: UUID | None = Field(description="Null: it is about a campaign.")
    hop: int
    type: str
    state: str = Field(description="pending, delivered, exhausted or cancelled")
    attempt_count: int
    next_attempt_at: datetime
    created_at: datetime
    ended_at: datetime | None
    attempts: list[AttemptOut]


CURSOR = Cursor("deliveries", tuple[Instant, Position])


class DeliveryFilter(BaseModel):
    """Which deliveries are listed."""

    model_config = ConfigDict(extra="forbid")

    endpoint: EndpointName | None = Field(
        default=None,
        description="Only deliveries to this endpoint: rep/ID, team/ID, ops or marketing.",
    )
    type: WebhookType | None = Field(
        default=None, description="Only webhooks of this type, such as `handoff.assigned`."
    )
    state: DeliveryState | None = Field(default=None, description="Only deliveries in this state.")
    status: StatusClass | None = Field(
        default=None,
        description="Only deliveries whose last attempt got a status of this class; `none`: no response.",
    )
    handoff: UUID | None = Field(
        default=None, description="Only deliveries of the handoff with this id."
    )
    since: Since | None = Field(default=None, description=f"Created {SINCE}")
    until: Until | None = Field(default=None, description=f"Created {UNTIL}")
    after: After = None
    limit: Limit = 50
    format: Format = Field(default=None, description=FORMAT)

    def delivery_filter(self) -> delivery_lists.DeliveryFilter:
        """The filter of the query."""
        return delivery_lists.DeliveryFilter(
            endpoint=self.endpoint,
            type=self.type,
            state=self.state,
            status=self.status,
            handoff=self.handoff,
            created=time_range(self.since, self.until),
        )


_OF_DELIVERY = (
    "id", "endpoint", "handoff_id", "hop", "type", "state", "attempt_count", "next_attempt_at",
    "created_at", "ended_at",
)  # fmt: skip
_OF_ATTEMPT = ("at", "took_ms", "status", "detail")
COLUMNS = (*_OF_DELIVERY, *(f"last_attempt_{it}" for it in _OF_ATTEMPT))
"""The columns of deliveries as CSV."""


def delivery_row(delivery: DeliveryOut) -> dict[str, object]:
    """The delivery with its last attempt, as a row of a CSV."""
    last = delivery.attempts[-1] if delivery.attempts else None
    return {
        **{it: getattr(delivery, it) for it in _OF_DELIVERY},
        **{f"last_attempt_{it}": getattr(last, it, None) for it in _OF_ATTEMPT},
    }


@router.get(
    "/deliveries",
    response_model=Page[DeliveryOut],
    responses={**CSV_RESPONSE, **problems(UnknownKey, WrongScope, BadCursor, EmptyRange)},
)
def list_deliveries(
    request: Request,
    session: Tx,
    _: OpsOrRead,
    filter_: Annotated[DeliveryFilter, Query()],
) -> Page[DeliveryOut] | Response:
    """List deliveries with their attempts, newest first; as CSV with the last attempt of each.

    For `type` and `status` a page looks at 20,000 deliveries at most: it may be short, or empty, and have a `next`.
    """

    def page_after(cursor: str | None, limit: int) -> Page[DeliveryOut]:
        narrowed = filter_.model_copy(update={"after": cursor, "limit": limit})
        return _page_of_deliveries(session, narrowed)

    if wants_csv(request, filter_.format):
        return csv_of_pages(request, "deliveries", page_after, delivery_row, columns=COLUMNS)
    return page_after(filter_.after, filter_.limit)


def _page_of_deliveries(session: Session, filter_: DeliveryFilter) -> Page[DeliveryOut]:
    before = None if filter_.after is None else CURSOR.decode(filter_.after)
    delivery_filter = filter_.delivery_filter()
    matching = delivery_lists.list_deliveries(
        session, delivery_filter, before=before, limit=filter_.limit + 1
    )
    page = page_of(
        matching,
        limit=filter_.limit,
        item=DeliveryOut.model_validate,
        position=lambda it: (it.created_at, it.position),
        cursor=CURSOR,
    )
    if page.next is None:
        scan_end = delivery_lists.scan_end(session, delivery_filter, before=before)
        page.next = None if scan_end is None else CURSOR.encode(*scan_end)
    return page


class ReplayIn(BaseModel):
    """Which deliveries are sent again: those of one endpoint that were created in a time."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "endpoint": "rep/amira",
                    "since": "2026-11-23T09:00:00Z",
                    "until": "2026-11-23T12:00:00Z",
                    "dry_run": True,
                }
            ]
        },
    )

    endpoint: EndpointName
    since: Since = Field(description=f"Created {SINCE}")
    until: Until = Field(description=f"Created {UNTIL}")
    type: WebhookType | None = Field(default=None, description="Only webhooks of this type.")
    dry_run: bool = Field(default=False, description="Only count the deliveries, start none.")


class ReplayOut(BaseModel):
    """How many deliveries the range has, and how many of them are started."""

    deliveries: int = Field(description="Those that were delivered, or are exhausted.")
    started: int = Field(description="All of these; 0 for `dry_run`.")


@router.post(
    "/deliveries/replay",
    status_code=202,
    responses=problems(
        UnknownKey, WrongScope, UnknownEndpoint, EndpointIsDisabled, TooManyDeliveries, EmptyRange
    ),
)
def replay(session: Tx, _: Ops, now: Now, body: ReplayIn) -> ReplayOut:
    """Send the delivered and the exhausted webhooks of a time to their endpoint again, with the same ids.

    Pending ones are on their way and stay as they are, so that a second call starts none of them twice; cancelled ones
    are not sent. At most 10,000 are started.
    """
    time_range(body.since, body.until)
    replay_range = ReplayRange(body.endpoint, body.since, body.until, body.type)
    count = replay_deliveries(session, replay_range, only_count=body.dry_run, now=now)
    return ReplayOut(deliveries=count, started=0 if body.dry_run else count)


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
