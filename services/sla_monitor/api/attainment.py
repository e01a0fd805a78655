"""Attainment: how promises were kept, by team, rep, tier, day, source or campaign, and from day to day."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from services.sla_monitor.api.filters import KEY_ERRORS, SourceFilters
from services.sla_monitor.domain.reports import Report, reports
from services.sla_monitor.queries.attainment import (
    Cohorts,
    GroupBy,
    LargestGroups,
    daily_tally_sums,
    largest_groups,
    tally_sums,
)
from shared.auth.keys import Caller
from shared.http.csv_tables import (
    CSV_RESPONSE,
    MAX_CSV_ROWS,
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
MAX_GROUPS, MAX_SERIES = 100, 20
"""So many sources or campaigns an answer has, and so many series of days: those with the most promises."""
OF_LEADS = (GroupBy.SOURCE, GroupBy.CAMPAIGN)

RESPONSES = {**CSV_RESPONSE, **problems(*KEY_ERRORS, InvalidRequest, EmptyRange)}

router = APIRouter()


class Dates(SourceFilters):
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

    def cohorts(self, by: GroupBy, caller: Caller, now: datetime) -> Cohorts:
        """The tallies that are counted; raises EmptyRange, or InvalidRequest where nothing counts these together."""
        clock_filter = self.clock_filter(caller)
        names = {"source": clock_filter.source, "campaign": clock_filter.campaign}
        fields = {field for field, name in names.items() if name is not None}
        fields |= {by.value} if by in OF_LEADS else set()
        if len(fields) > 1:
            raise InvalidRequest(
                "promises are counted by source or by campaign: name one of them, not both"
            )
        if fields and (by is GroupBy.REP or clock_filter.rep is not None):
            raise InvalidRequest(
                "promises are counted by source and campaign for teams and tiers, not for reps: leave `rep` out; "
                "a key of a rep cannot ask for it"
            )
        return Cohorts(clock_filter, *self.dates(now))


class AttainmentParameters(Dates):
    """Which promises are counted, and how they are grouped."""

    by: GroupBy = Field(
        default=GroupBy.TEAM,
        description="What each item of the report is about. A promise about a lead of several sources counts under "
        f"each of them. By `source` and `campaign` there are the {MAX_GROUPS} with the most promises.",
    )


class DailyParameters(Dates):
    """Which promises are counted, and for what there is a series of days."""

    by: Literal[GroupBy.TEAM, GroupBy.REP, GroupBy.TIER, GroupBy.SOURCE, GroupBy.CAMPAIGN] = Field(
        default=GroupBy.TEAM,
        description="What each series is about. For `rep` name a `team` or a `rep`. By `source` and `campaign` there "
        f"are the {MAX_SERIES} with the most promises.",
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
    """How promises were kept by a team or a rep, of a tier, a source or a campaign, or on a day."""

    group: str = Field(
        description="The team, rep, tier, date, source or campaign; empty for leads without a source or a campaign."
    )
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


class GroupsOut(BaseModel):
    """What a report is about, and what it leaves out."""

    by: GroupBy
    since: date
    until: date
    more_groups: int = Field(
        default=0, description="How many sources or campaigns have fewer promises and are left out."
    )
    more_promised: int = Field(default=0, description="How many promises those have.")


class AttainmentOut(GroupsOut):
    """How promises were kept that were due from `since` to `until`, both included."""

    items: list[ReportOut] = Field(
        description="By source and campaign the one with the most promises first."
    )


class SeriesOut(BaseModel):
    """How a team or a rep kept promises, or how those of a tier were kept, day by day."""

    group: str = Field(description="The team, rep, tier, source or campaign.")
    days: list[ReportOut] = Field(description="A report for each date on which promises were due.")


class DailyOut(GroupsOut):
    """How promises were kept from day to day that were due from `since` to `until`, both included."""

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
    by, cohorts = parameters.by, parameters.cohorts(parameters.by, caller, now)
    as_csv = wants_csv(request, parameters.format)
    cohorts, largest = _of_largest(session, by, cohorts, MAX_CSV_ROWS if as_csv else MAX_GROUPS)
    items = list(map(ReportOut.of, reports(tally_sums(session, by, cohorts))))
    if by in OF_LEADS:
        items.sort(key=lambda it: -it.promised)
    if as_csv:
        columns = list(columns_of(ReportOut))
        return csv_response(request, "attainment", columns, [row_of(it, columns) for it in items])
    return AttainmentOut(
        by=by,
        since=cohorts.first,
        until=cohorts.last,
        more_groups=largest.more_groups,
        more_promised=largest.more_promised,
        items=items,
    )


@router.get("/attainment/daily", response_model=DailyOut, responses=RESPONSES)
def daily_attainment(
    request: Request,
    parameters: Annotated[DailyParameters, Query()],
    session: Tx,
    now: Now,
    caller: AnyReader,
) -> DailyOut | Response:
    """How promises were kept, and how fast answers came, from day to day: a series for each group."""
    by, cohorts = parameters.by, parameters.cohorts(parameters.by, caller, now)
    clock_filter = cohorts.clock_filter
    if by is GroupBy.REP and clock_filter.team is None and clock_filter.rep is None:
        raise InvalidRequest("there is a series for each rep of one team: name a `team` or a `rep`")
    cohorts, largest = _of_largest(session, by, cohorts, MAX_SERIES)
    series = [
        SeriesOut(group=group, days=[ReportOut.of(report) for report in reports(of_group)])
        for group, of_group in daily_tally_sums(session, by, cohorts).items()
    ]
    if wants_csv(request, parameters.format):
        columns = ["on", *columns_of(ReportOut)]
        rows = [
            {**row_of(day, columns), "group": it.group, "on": day.group}
            for it in series
            for day in it.days
        ]
        return csv_response(request, "attainment-daily", columns, rows)
    return DailyOut(
        by=by,
        since=cohorts.first,
        until=cohorts.last,
        more_groups=largest.more_groups,
        more_promised=largest.more_promised,
        series=series,
    )


def _of_largest(
    session: Session, by: GroupBy, cohorts: Cohorts, limit: int
) -> tuple[Cohorts, LargestGroups]:
    """The tallies of the sources or campaigns with the most promises, and what that leaves out."""
    if by not in OF_LEADS:
        return cohorts, LargestGroups([], 0, 0)
    largest = largest_groups(session, by, cohorts, limit=limit)
    return replace(cohorts, names=largest.names), largest
