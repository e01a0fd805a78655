"""Lists of clocks: broken ones, those at risk, all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from services.sla_monitor.api.filters import KEY_ERRORS, Filters
from services.sla_monitor.domain.clocks import Clock, State
from services.sla_monitor.domain.explanations import outcome
from services.sla_monitor.queries import lists
from services.sla_monitor.queries.lists import ClockFilter, Slice
from shared.auth.keys import Caller
from shared.contracts.payloads import Scope
from shared.http.dependencies import AnyReader, Now, Tx
from shared.http.pages import After, BadCursor, Cursor, Limit, Page, page_of
from shared.http.parameters import SINCE, UNTIL, EmptyRange, Since, Until, time_range
from shared.http.problems import InvalidRequest, problems

ERRORS = problems(*KEY_ERRORS, BadCursor, InvalidRequest, EmptyRange)

router = APIRouter()


class ListParameters(Filters):
    """Which clocks the list has, and which page of it is answered."""

    since: Since | None = Field(
        default=None, description=f"Started (clocks) or due (breaches, at risk) {SINCE}"
    )
    until: Until | None = Field(
        default=None, description=f"Started (clocks) or due (breaches, at risk) {UNTIL}"
    )
    limit: Limit = 100
    after: After = None

    cursor: ClassVar = Cursor("at-risk", tuple[AwareDatetime, UUID])

    def within(self, caller: Caller) -> ClockFilter:
        """The filter of these parameters, within what the caller may see; raises EmptyRange."""
        return self.clock_filter(caller, times=time_range(self.since, self.until))

    @property
    def slice(self) -> Slice:
        """The page and one clock more, which shows whether another page follows; raises BadCursor."""
        after = None if self.after is None else self.cursor.decode(self.after)
        return Slice(after, self.limit + 1)


class BreachListParameters(ListParameters):
    """Which breaches the list has."""

    state: Literal["open", "all"] = Field(
        default="open", description="`open`: not answered yet; `all`: answered too late as well."
    )

    cursor: ClassVar = Cursor("breaches", tuple[AwareDatetime, UUID])


class ClockListParameters(ListParameters):
    """Which clocks the list has, and in which state."""

    state: State | None = Field(default=None, description="Only clocks in this state.")
    reported_late: bool | None = Field(
        default=None,
        description="`true`: only clocks that were met and whose answer was reported later than `sla.report_within`; "
        "`false`: only others.",
    )

    cursor: ClassVar = Cursor("clocks", tuple[AwareDatetime, UUID])


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
    calendar: str
    agreement_version: int
    target_s: float = Field(description="The promised working time in seconds.")
    started_at: datetime
    warn_at: datetime
    due_at: datetime
    state: State
    ended_at: datetime | None = Field(description="When the change that ended it happened.")
    ended_by: str | None = Field(description="The change of the handoff that ended it.")
    reported_at: datetime | None = Field(description="When that change was reported.")
    reported_late: bool = Field(
        description="The promise was met, and the answer was reported later than `sla.report_within`."
    )
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

    @classmethod
    def of(cls, clock: Clock, now: datetime) -> ClockOut:
        """The clock as it is at this instant."""
        return cls.model_validate(clock_fields(clock, now))


def clock_fields(clock: Clock, now: datetime) -> dict[str, Any]:
    """The values of ClockOut's fields."""
    broken = clock.is_broken(now=now)
    overdue = broken and clock.ended_at is None
    return {
        **clock._asdict(),
        "target_s": clock.target.total_seconds(),
        "outcome": outcome(clock, now=now),
        "breached_at": clock.due_at if broken else None,
        "at_risk_since": clock.warned_at and clock.warn_at,
        "overdue_s": (now - clock.due_at).total_seconds() if overdue else 0.0,
    }


@router.get("/breaches", responses=ERRORS)
def list_breaches(
    parameters: Annotated[BreachListParameters, Query()], session: Tx, now: Now, caller: AnyReader
) -> Page[ClockOut]:
    """Clocks that are broken, the newest first: those that are not answered yet, or all."""
    clocks = lists.breaches(
        session,
        parameters.within(caller),
        parameters.slice,
        now=now,
        still_open=parameters.state == "open",
    )
    return _page(clocks, parameters, now, lambda clock: clock.due_at)


@router.get("/at-risk", responses=ERRORS)
def list_at_risk(
    parameters: Annotated[ListParameters, Query()], session: Tx, now: Now, caller: AnyReader
) -> Page[ClockOut]:
    """Clocks past their warning and not yet due, the next one due first."""
    clocks = lists.at_risk(session, parameters.within(caller), parameters.slice, now=now)
    return _page(clocks, parameters, now, lambda clock: clock.due_at)


@router.get("/clocks", responses=ERRORS)
def list_clocks(
    parameters: Annotated[ClockListParameters, Query()], session: Tx, now: Now, caller: AnyReader
) -> Page[ClockOut]:
    """All clocks, the newest first."""
    clocks = lists.all_clocks(
        session,
        parameters.within(caller),
        parameters.slice,
        state=parameters.state,
        reported_late=parameters.reported_late,
    )
    return _page(clocks, parameters, now, lambda clock: clock.started_at)


def _page(
    clocks: Sequence[Clock],
    parameters: ListParameters,
    now: datetime,
    at: Callable[[Clock], datetime],
) -> Page[ClockOut]:
    return page_of(
        clocks,
        limit=parameters.limit,
        item=lambda clock: ClockOut.of(clock, now),
        position=lambda clock: (at(clock), clock.id),
        cursor=parameters.cursor,
    )
