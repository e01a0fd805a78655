"""What ops and reps read about promises: breaches, risks, clocks and why, attainment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.sla_monitor.domain.clocks import Clock
from services.sla_monitor.domain.explanations import explain
from services.sla_monitor.domain.histories import Terms
from services.sla_monitor.domain.reports import reports
from services.sla_monitor.queries import reports as queries
from services.sla_monitor.views import (
    AttainmentAsked,
    AttainmentOut,
    BreachesAsked,
    ClockOut,
    ClocksAsked,
    EmptyRange,
    ExplanationOut,
    Listed,
    ReportOut,
    own_of,
)
from shared.agreement.store import Agreements
from shared.auth.keys import ExpiredKey, UnknownKey, WrongScope
from shared.errors import Rejected
from shared.http.dependencies import AnyReader, Now, Tx
from shared.http.pages import BadCursor, Page, paged
from shared.http.problems import InvalidRequest, problems

KEYS = (UnknownKey, ExpiredKey, WrongScope)
LISTS = problems(*KEYS, BadCursor, InvalidRequest, EmptyRange)


class UnknownClock(Rejected):
    """No clock has this id, or it is another rep's."""

    code = "unknown_clock"
    status = 404


def router(agreements: Agreements) -> APIRouter:
    """The routes under /v1/sla."""
    routes = APIRouter(prefix="/v1/sla", tags=["sla"])
    _add_lists(routes)
    _add_explanation(routes, agreements)
    _add_attainment(routes)
    return routes


def _add_lists(routes: APIRouter) -> None:
    @routes.get("/breaches", responses=LISTS)
    def list_breaches(
        asked: Annotated[BreachesAsked, Query()], session: Tx, now: Now, caller: AnyReader
    ) -> Page[ClockOut]:
        """Promises that were broken, newest first: those still open, or all."""
        found = queries.breaches(
            session, asked.which(caller), asked.slice, now=now, still_open=asked.state == "open"
        )
        return _page(found, asked, now, lambda clock: clock.due_at)

    @routes.get("/at-risk", responses=LISTS)
    def list_at_risk(
        asked: Annotated[Listed, Query()], session: Tx, now: Now, caller: AnyReader
    ) -> Page[ClockOut]:
        """Promises past their warning and not yet due, the next one due first."""
        found = queries.at_risk(session, asked.which(caller), asked.slice, now=now)
        return _page(found, asked, now, lambda clock: clock.due_at)

    @routes.get("/clocks", responses=LISTS)
    def list_clocks(
        asked: Annotated[ClocksAsked, Query()], session: Tx, now: Now, caller: AnyReader
    ) -> Page[ClockOut]:
        """Every promise, the newest first."""
        found = queries.all_clocks(session, asked.which(caller), asked.slice, state=asked.state)
        return _page(found, asked, now, lambda clock: clock.started_at)


def _add_explanation(routes: APIRouter, agreements: Agreements) -> None:
    @routes.get(
        "/clocks/{clock_id}/explain", responses=problems(*KEYS, UnknownClock, InvalidRequest)
    )
    def explain_clock(clock_id: UUID, session: Tx, now: Now, caller: AnyReader) -> ExplanationOut:
        """Why it is due when it is: every interval that counted, holidays by name, the versions."""
        clock = queries.find_clock(session, clock_id, visible_to=own_of(caller))
        if clock is None:
            raise UnknownClock(f"no clock {clock_id}: take an id from /v1/sla/clocks")
        published = agreements.version(session, clock.agreement_version)
        calendar = Terms(published.version, published.agreement).calendar(
            clock.team, clock.calendar
        )
        return ExplanationOut.explaining(explain(clock, calendar, now=now), now)


def _add_attainment(routes: APIRouter) -> None:
    @routes.get("/attainment", responses=problems(*KEYS, InvalidRequest, EmptyRange))
    def attainment(
        asked: Annotated[AttainmentAsked, Query()], session: Tx, now: Now, caller: AnyReader
    ) -> AttainmentOut:
        """How promises were kept that fell due in a time; one that nobody answers counts as broken."""
        first, last = asked.dates(now)
        counted = queries.counted_by(
            session, asked.by, asked.narrowed(caller), first=first, last=last
        )
        return AttainmentOut(
            by=asked.by,
            since=first,
            until=last,
            items=[ReportOut.of(it) for it in reports(counted)],
        )


def _page(
    found: Sequence[Clock], asked: Listed, now: datetime, at: Callable[[Clock], datetime]
) -> Page[ClockOut]:
    return paged(
        found,
        limit=asked.limit,
        item=lambda clock: ClockOut.of(clock, now),
        position=lambda clock: (at(clock), clock.id),
        cursor=asked.cursor,
    )
