"""Attainment: how promises were kept, by team, rep, tier or day."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.sla_monitor.api.filters import KEY_ERRORS, Filters
from services.sla_monitor.domain.reports import Report, reports
from services.sla_monitor.queries import lists
from services.sla_monitor.queries.lists import GroupBy
from shared.http.dependencies import AnyReader, Now, Tx
from shared.http.parameters import EmptyRange, FirstDate, LastDate
from shared.http.problems import InvalidRequest, problems

DEFAULT_RANGE = timedelta(days=30)

router = APIRouter()


class AttainmentParameters(Filters):
    """Which promises are counted, and how they are grouped."""

    by: GroupBy = Field(default=GroupBy.TEAM, description="What each item of the report is about.")
    since: FirstDate | None = Field(
        default=None,
        description="The first due date, or an instant on it; by default 30 days ago.",
    )
    until: LastDate | None = Field(
        default=None,
        description="The last due date, or an instant before which it lies; by default today.",
    )

    def dates(self, now: datetime) -> tuple[date, date]:
        """The first and the last date; raises EmptyRange."""
        last = self.until or now.date() + timedelta(days=1)  # in some zones the next day has begun
        first = self.since or last - DEFAULT_RANGE
        if first > last:
            raise EmptyRange("`since` must not lie after `until`")
        return first, last


class SpeedOut(BaseModel):
    """Within how many seconds half of the answers came, and nine of ten; at most 9 % off."""

    answers: int
    business_p50_s: float
    business_p90_s: float
    wall_p50_s: float
    wall_p90_s: float


class ReportOut(BaseModel):
    """How promises were kept by a team or a rep, of a tier, or on a day."""

    group: str = Field(description="The team, rep, tier, or date.")
    attainment: float = Field(description="The part of `promised` that was met, 0 to 1.")
    promised: int = Field(description="met + late + overdue + cancelled.")
    met: int
    reported_late: int = Field(
        description="How many of the met promises were reported later than `sla.report_within`."
    )
    late: int = Field(description="Answered after they were due.")
    overdue: int = Field(description="Due and not answered yet.")
    cancelled: int = Field(description="Ended without an answer after they were due.")
    accept: SpeedOut | None = Field(description="Time to accept.")
    first_touch: SpeedOut | None = Field(description="Time to the first touch.")

    @classmethod
    def of(cls, report: Report) -> ReportOut:
        """The report as it is answered."""
        return cls(**asdict(report), promised=report.promised, attainment=report.attainment)


class AttainmentOut(BaseModel):
    """How promises were kept that were due from `since` to `until`, both included."""

    by: GroupBy
    since: date
    until: date
    items: list[ReportOut]


@router.get("/attainment", responses=problems(*KEY_ERRORS, InvalidRequest, EmptyRange))
def attainment(
    parameters: Annotated[AttainmentParameters, Query()], session: Tx, now: Now, caller: AnyReader
) -> AttainmentOut:
    """How promises were kept that were due on these dates. A promise that nobody answers counts as broken."""
    first, last = parameters.dates(now)
    sums = lists.tally_sums(
        session, parameters.by, parameters.clock_filter(caller), first=first, last=last
    )
    return AttainmentOut(
        by=parameters.by,
        since=first,
        until=last,
        items=[ReportOut.of(report) for report in reports(sums)],
    )
