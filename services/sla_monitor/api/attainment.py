"""Attainment: how promises were kept, by team, rep, tier or day, and from day to day."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from services.sla_monitor.api.filters import KEY_ERRORS, Filters
from services.sla_monitor.domain.reports import Report, reports
from services.sla_monitor.queries.attainment import GroupBy, daily_tally_sums, tally_sums
from shared.http.csv_tables import (
    CSV_RESPONSE,
    columns_of,
    csv_response,
    row_of,
    wants_csv,
)
from shared.http.dependencies import AnyReader, Now, Tx
from shared.http.parameters import EmptyRange, FirstDate, LastDate
from shared.http.problems import InvalidRequest, problems

DEFAULT_RANGE = timedelta(days=30)
LONGEST_SERIES = timedelta(days=366)
RESPONSES = {**CSV_RESPONSE, **problems(*KEY_ERRORS, InvalidRequest, EmptyRange)}

router = APIRouter()


class Dates(Filters):
    """Which promises are counted, and those of which due dates."""

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


class AttainmentParameters(Dates):
    """Which promises are counted, and how they are grouped."""

    by: GroupBy = Field(default=GroupBy.TEAM, description="What each item of the report is about.")


class DailyParameters(Dates):
    """Which promises are counted, and for what there is a series of days."""

    by: Literal[GroupBy.TEAM, GroupBy.REP, GroupBy.TIER] = Field(
        default=GroupBy.TEAM,
        description="What each series is about. For `rep` name a `team` or a `rep`.",
    )

    def dates(self, now: datetime) -> tuple[date, date]:
        """The first and the last date, at most LONGEST_SERIES apart; raises EmptyRange or InvalidRequest."""
        first, last = super().dates(now)
        if last - first > LONGEST_SERIES:
            raise InvalidRequest(
                f"a series has {LONGEST_SERIES.days} days at most: name a later `since`"
            )
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


class SeriesOut(BaseModel):
    """How a team or a rep kept promises, or how those of a tier were kept, day by day."""

    group: str = Field(description="The team, rep, or tier.")
    days: list[ReportOut] = Field(description="A report for each date on which promises were due.")


class DailyOut(BaseModel):
    """How promises were kept from day to day that were due from `since` to `until`, both included."""

    by: GroupBy
    since: date
    until: date
    series: list[SeriesOut]


@router.get("/attainment", response_model=AttainmentOut, responses=RESPONSES)
def attainment(
    request: Request,
    parameters: Annotated[AttainmentParameters, Query()],
    session: Tx,
    now: Now,
    caller: AnyReader,
) -> AttainmentOut | Response:
    """How promises were kept that were due on these dates. A promise that nobody answers counts as broken."""
    first, last = parameters.dates(now)
    sums = tally_sums(
        session, parameters.by, parameters.clock_filter(caller), first=first, last=last
    )
    items = [ReportOut.of(report) for report in reports(sums)]
    if wants_csv(request, parameters.format):
        columns = list(columns_of(ReportOut))
        return csv_response(request, "attainment", columns, [row_of(it, columns) for it in items])
    return AttainmentOut(by=parameters.by, since=first, until=last, items=items)


@router.get("/attainment/daily", response_model=DailyOut, responses=RESPONSES)
def daily_attainment(
    request: Request,
    parameters: Annotated[DailyParameters, Query()],
    session: Tx,
    now: Now,
    caller: AnyReader,
) -> DailyOut | Response:
    """How promises were kept, and how fast answers came, from day to day: a series for each team, rep or tier."""
    first, last = parameters.dates(now)
    clock_filter = parameters.clock_filter(caller)
    if parameters.by is GroupBy.REP and clock_filter.team is None and clock_filter.rep is None:
        raise InvalidRequest("there is a series for each rep of one team: name a `team` or a `rep`")
    sums = daily_tally_sums(session, parameters.by, clock_filter, first=first, last=last)
    series = [
        SeriesOut(group=group, days=[ReportOut.of(report) for report in reports(of_group)])
        for group, of_group in sums.items()
    ]
    if wants_csv(request, parameters.format):
        columns = ["on", *columns_of(ReportOut)]
        rows = [
            {**row_of(day, columns), "group": it.group, "on": day.group}
            for it in series
            for day in it.days
        ]
        return csv_response(request, "attainment-daily", columns, rows)
    return DailyOut(by=parameters.by, since=first, until=last, series=series)
