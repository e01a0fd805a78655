"""What teams can take on each date: what is behind a figure of capacity, in place of leads."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Annotated, ClassVar

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from services.alignment.api.capacity_figures import TEAM
from services.alignment.api.parameters import KEY_ERRORS, Name, PeriodParameters
from services.alignment.domain.capacity import CapacityDay
from services.alignment.domain.conditions import BadCondition, condition_of
from services.alignment.domain.groups import facts_of, fields_read
from services.alignment.domain.periods import BadPeriod
from services.alignment.queries.capacity import Position, TeamDays, capacity_of_teams, days_of
from shared.http.csv_tables import (
    CSV_RESPONSE,
    MAX_CSV_ROWS,
    columns_of,
    csv_response,
    row_of,
    wants_csv,
)
from shared.http.dependencies import Now, OpsOrRead, Tx
from shared.http.pages import After, BadCursor, Cursor, Limit, Page, page_of
from shared.http.parameters import Day, EmptyRange, PlainText
from shared.http.problems import InvalidRequest, problems

RESPONSES = {
    **CSV_RESPONSE,
    **problems(*KEY_ERRORS, BadCursor, InvalidRequest, EmptyRange, BadPeriod, BadCondition),
}


class CapacityParameters(PeriodParameters):
    """Which days the list has, and which page of it is answered."""

    team: Name | None = Field(default=None, description="Only days of this team.")
    where: PlainText | None = Field(
        default=None,
        description='Only days of teams of which this condition is true: CEL over `team`, such as `team != "emea"`.',
    )
    limit: Limit = 100
    after: After = None

    cursor: ClassVar = Cursor("capacity", tuple[Day, PlainText])

    def days(self, session: Session, now: datetime) -> TeamDays:
        """The days that these parameters select; raises BadPeriod, EmptyRange or BadCondition."""
        first, last = self.dates(now)
        return TeamDays(first, last, self._teams(session, first, last))

    def _teams(self, session: Session, first: date, last: date) -> Collection[str] | None:
        """The names of the teams; None: all."""
        if self.where is None:
            return None if self.team is None else [self.team]
        condition = condition_of(self.where)
        if not {TEAM}.issuperset(fields_read([condition])):
            raise BadCondition("`where` may read nothing but `team` here: reps work in teams")
        known = [it.team for it in capacity_of_teams(session, TeamDays(first, last))]
        teams = [it for it in known if condition.holds(facts_of((TEAM,), (it,)))]
        return [it for it in teams if self.team in (None, it)]


class CapacityDayOut(BaseModel):
    """What a team can take on one date, as routing announced it last on that date or before it."""

    on: date = Field(description="By the wall clock of each rep's working hours.")
    team: str
    reps: int = Field(
        description="The reps who work on it: not those who are away all of their hours."
    )
    leads: int = Field(
        description="The sum of the limits a day (`capacity.per_day`) of these reps."
    )
    unlimited: int = Field(
        description="How many of these reps have no limit a day: how much they can take is not known."
    )


router = APIRouter()


@router.get("/alignment/capacity", response_model=Page[CapacityDayOut], responses=RESPONSES)
def list_capacity(
    request: Request,
    parameters: Annotated[CapacityParameters, Query()],
    session: Tx,
    now: Now,
    _: OpsOrRead,
) -> Page[CapacityDayOut] | Response:
    """How many leads each team can take on each date: what a promise of capacity is the sum of.

    Dates that are to come are there as far as routing has planned them, which is 100 days.
    """
    as_csv = wants_csv(request, parameters.format)
    limit = MAX_CSV_ROWS if as_csv else parameters.limit
    cursor = parameters.cursor
    after = None if parameters.after is None else Position(*cursor.decode(parameters.after))
    days = days_of(session, parameters.days(session, now), after=after, limit=limit + 1)
    if as_csv:
        columns = list(columns_of(CapacityDayOut))
        rows = [row_of(_out(it), columns) for it in days[:limit]]
        following = cursor.encode(*_position(days[limit - 1])) if len(days) > limit else None
        return csv_response(request, "capacity", columns, rows, next_cursor=following)
    return page_of(days, limit=limit, item=_out, position=_position, cursor=cursor)


def _out(day: CapacityDay) -> CapacityDayOut:
    return CapacityDayOut.model_validate(day._asdict())


def _position(day: CapacityDay) -> tuple[str, str]:
    return day.on.isoformat(), day.team
