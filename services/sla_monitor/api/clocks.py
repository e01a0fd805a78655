"""Lists of clocks: broken ones, those at risk, upcoming ones, all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from services.sla_monitor.api.filters import KEY_ERRORS
from services.sla_monitor.api.list_parameters import (
    BreachListParameters,
    ClockListParameters,
    ListParameters,
    UpcomingListParameters,
)
from services.sla_monitor.domain.clocks import Acknowledgement, Clock, State
from services.sla_monitor.domain.explanations import outcome
from services.sla_monitor.queries import lists
from services.sla_monitor.queries.acknowledgements import acknowledgements_of
from services.sla_monitor.queries.walks import Listed
from shared.contracts.payloads import Scope
from shared.http.csv_tables import (
    CSV_RESPONSE,
    MAX_CSV_ROWS,
    columns_of,
    csv_response,
    wants_csv,
)
from shared.http.dependencies import AnyReader, Now, Tx
from shared.http.pages import BadCursor, Page, page_of
from shared.http.parameters import (
    EmptyRange,
)
from shared.http.problems import InvalidRequest, problems

RESPONSES = {**CSV_RESPONSE, **problems(*KEY_ERRORS, BadCursor, InvalidRequest, EmptyRange)}

router = APIRouter()


class ClockOut(BaseModel):
    """A clock: a promise about a handoff, and its outcome."""

    id: UUID
    handoff_id: UUID
    lead_id: UUID
    lead_name: str | None
    policy: str
    kind: str
    scope: Scope
    hop: int = Field(
        description="The number of the assignment in the handoff, from 1; 0 for a journey."
    )
    team: str
    rep: str | None = Field(description="The rep who has the handoff, or had it last.")
    tier: str
    sources: list[str] = Field(description="Of the lead when it qualified; at most 20.")
    campaign: str | None = Field(description="Of the lead when it qualified.")
    calendar: str
    agreement_version: int
    target_s: float = Field(description="The promised working time in seconds.")
    applied_at: datetime | None = Field(description="When ops applied this version to it.")
    started_at: datetime
    warn_at: datetime
    due_at: datetime
    state: State
    paused_until: datetime | None = Field(
        description="While it is paused: when that is over at the latest; `due_at` counts on it."
    )
    paused_s: float = Field(description="Working time that pauses before the due time take out.")
    ended_at: datetime | None = Field(description="When the change that ended it happened.")
    ended_by: str | None = Field(description="The change of the handoff, or `policy_ended`.")
    reported_at: datetime | None = Field(description="When that change was reported.")
    reported_late: bool = Field(description="Met, and reported later than `sla.report_within`.")
    outcome: str = Field(
        description="What became of the promise, in words: `met`, `met, reported 4 h later`, `late`, `overdue`, …"
    )
    at_risk_since: datetime | None
    breached_at: datetime | None = Field(description="The due time, however late it was detected.")
    detected_at: datetime | None = Field(description="When a sweep detected the breach.")
    retracted_at: datetime | None = Field(
        description="When a breach was taken back, because the answer had happened in time."
    )
    overdue_s: float = Field(
        description="Seconds since the clock was due, while it is not answered; else 0."
    )
    acknowledged_at: datetime | None = Field(
        description="When ops acknowledged the breach. It stays a breach."
    )
    acknowledged_by: str | None = Field(description="Who did, as ops/NAME.")
    note: str | None = Field(description="What they noted.")

    @classmethod
    def of(
        cls, clock: Clock, now: datetime, acknowledgement: Acknowledgement | None = None
    ) -> ClockOut:
        """The clock as it is at this instant."""
        return cls.model_validate(clock_fields(clock, now, acknowledgement))


def clock_fields(
    clock: Clock, now: datetime, acknowledgement: Acknowledgement | None = None
) -> dict[str, Any]:
    """The values of ClockOut's fields."""
    broken = clock.is_broken(now=now)
    overdue = broken and clock.ended_at is None
    return {
        **clock._asdict(),
        "sources": clock.sources or (),
        "state": clock.state_at(now),
        "paused_s": clock.paused_for.total_seconds(),
        "paused_until": clock.paused_until if clock.state_at(now) is State.PAUSED else None,
        "target_s": clock.target.total_seconds(),
        "outcome": outcome(clock, now=now),
        "breached_at": clock.due_at if broken else None,
        "at_risk_since": clock.warned_at and clock.warn_at,
        "overdue_s": (now - clock.due_at).total_seconds() if overdue else 0.0,
        "acknowledged_at": acknowledgement and acknowledgement.acknowledged_at,
        "acknowledged_by": acknowledgement and acknowledgement.actor,
        "note": acknowledgement and acknowledgement.note,
    }


@router.get("/breaches", response_model=Page[ClockOut], responses=RESPONSES)
def list_breaches(
    request: Request,
    parameters: Annotated[BreachListParameters, Query()],
    session: Tx,
    now: Now,
    caller: AnyReader,
) -> Page[ClockOut] | Response:
    """Clocks that are broken, the newest first: those that are not answered yet, or all."""
    response = ListResponse(request, parameters, session, now)
    listed = lists.breaches(
        session,
        parameters.breaches(caller),
        response.slice,
        now=now,
        still_open=parameters.state == "open",
    )
    return response.page("breaches", listed, lambda clock: clock.due_at)


@router.get("/at-risk", response_model=Page[ClockOut], responses=RESPONSES)
def list_at_risk(
    request: Request,
    parameters: Annotated[ListParameters, Query()],
    session: Tx,
    now: Now,
    caller: AnyReader,
) -> Page[ClockOut] | Response:
    """Clocks past their warning and not yet due, the next one on which something is due first."""
    response = ListResponse(request, parameters, session, now)
    clock_filter = parameters.within(caller)
    listed = lists.at_risk(session, clock_filter, response.slice, now=now)
    return response.page("at-risk", listed, lists.at_risk_order(clock_filter))


@router.get("/upcoming", response_model=Page[ClockOut], responses=RESPONSES)
def list_upcoming(
    request: Request,
    parameters: Annotated[UpcomingListParameters, Query()],
    session: Tx,
    now: Now,
    caller: AnyReader,
) -> Page[ClockOut] | Response:
    """Clocks that run and are not due yet, the next one due first; those at risk have `at_risk_since`."""
    response = ListResponse(request, parameters, session, now)
    listed = lists.upcoming(session, parameters.within(caller), response.slice, now=now)
    return response.page("upcoming", listed, lambda clock: clock.due_at)


@router.get("/clocks", response_model=Page[ClockOut], responses=RESPONSES)
def list_clocks(
    request: Request,
    parameters: Annotated[ClockListParameters, Query()],
    session: Tx,
    now: Now,
    caller: AnyReader,
) -> Page[ClockOut] | Response:
    """All clocks, the newest first."""
    response = ListResponse(request, parameters, session, now)
    listed = lists.all_clocks(
        session,
        replace(
            parameters.within(caller, acknowledged=parameters.acknowledged),
            handoff_id=parameters.handoff,
        ),
        response.slice,
        now=now,
        state=parameters.state,
        reported_late=parameters.reported_late,
    )
    return response.page("clocks", listed, lambda clock: clock.started_at)


class ListResponse:
    """The response to a request for a list of clocks: a page, or CSV."""

    def __init__(
        self, request: Request, parameters: ListParameters, session: Session, now: datetime
    ) -> None:
        self._request, self._parameters = request, parameters
        self._session, self._now = session, now
        self._as_csv = wants_csv(request, parameters.format)
        self.slice = parameters.slice(as_csv=self._as_csv)

    def page(
        self, name: str, listed: Listed, at: Callable[[Clock], datetime]
    ) -> Page[ClockOut] | Response:
        """The clocks; `at` is the instant by which the list is ordered, and `name` that of the file.

        A page that was examined to its end has a cursor to the clocks that were not.
        """
        clocks, examined_to = listed
        acknowledgements = acknowledgements_of(self._session, [it.id for it in clocks])
        cursor = self._parameters.cursor
        if not self._as_csv:
            page = page_of(
                clocks,
                limit=self._parameters.limit,
                item=lambda clock: ClockOut.of(clock, self._now, acknowledgements.get(clock.id)),
                position=lambda clock: (at(clock), clock.id),
                cursor=cursor,
            )
            if page.next is None and examined_to is not None:
                page.next = cursor.encode(*examined_to)
            return page
        rows = clocks[:MAX_CSV_ROWS]
        if len(clocks) > len(rows):
            examined_to = at(rows[-1]), rows[-1].id
        return csv_response(
            self._request,
            name,
            list(columns_of(ClockOut)),
            (clock_fields(it, self._now, acknowledgements.get(it.id)) for it in rows),
            next_cursor=None if examined_to is None else cursor.encode(*examined_to),
        )
