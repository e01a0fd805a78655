"""Counts for the board: open clocks by team and rep, and the promises kept and broken in the last hours."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.sla_monitor.api.filters import KEY_ERRORS, Filters, visible_to
from services.sla_monitor.domain.counts import STEP, start_of_step
from services.sla_monitor.queries import counts
from services.sla_monitor.queries.counts import MAX_SOON, GroupCount
from shared.contracts.payloads import Scope
from shared.http.csv_tables import (
    CSV_RESPONSE,
    FORMAT,
    Format,
    columns_of,
    csv_response,
    row_of,
    wants_csv,
)
from shared.http.dependencies import AnyReader, Now, OpsOrRead, Tx
from shared.http.parameters import PlainText
from shared.http.problems import InvalidRequest, problems

router = APIRouter()


class CountsOut(BaseModel):
    """How many clocks are open."""

    open_breaches: int = Field(description="Past their due time, and not answered.")
    at_risk: int = Field(description="Past their warning, and not yet due.")
    due_soon: int = Field(description=f"Due within the hour; at most {MAX_SOON:,} are counted.")
    running: int = Field(description="Not yet due; those at risk are among them.")
    paused: int = Field(
        description="Paused: their time does not count, and they are not among the others."
    )


class GroupCountsOut(CountsOut):
    """How many clocks of a team, or of a rep in a team, are open."""

    team: str
    rep: str | None = Field(description="Null for a team, and while no rep has the handoff.")


class BoardCountsOut(CountsOut):
    """How many clocks are open in all, by team, and by rep."""

    has_more_due_soon: bool = Field(
        description=f"More than {MAX_SOON:,} are due within the hour; `due_soon` counts only the first ones."
    )
    overdue_timers: int = Field(
        description="Timers of all clocks that no sweep has fired within 10 s of their time; should be 0. "
        f"At most {MAX_SOON:,} are counted."
    )
    teams: list[GroupCountsOut]
    reps: list[GroupCountsOut] = Field(description="Each rep by team; a journey counts for both.")


class StepOut(BaseModel):
    """Promises that were kept and broken within five minutes."""

    since: datetime
    met: int
    breached: int


class RecentOut(BaseModel):
    """Promises that were kept and broken, every five minutes, the oldest first."""

    items: list[StepOut]


@router.get(
    "/counts",
    response_model=BoardCountsOut,
    responses={**CSV_RESPONSE, **problems(*KEY_ERRORS, InvalidRequest)},
)
def count_clocks(
    request: Request,
    parameters: Annotated[Filters, Query()],
    session: Tx,
    now: Now,
    caller: AnyReader,
) -> BoardCountsOut | Response:
    """How many clocks are open: broken, at risk, due within the hour, running; as CSV a row for each rep.

    A breach is counted once a sweep has detected it. A rep's key counts the promises of the rep's own hops.
    """
    clock_filter = parameters.clock_filter(caller)
    if visible_to(caller) is not None:
        if parameters.scope is Scope.JOURNEY:
            raise InvalidRequest("journeys are not counted for a rep's key: leave `scope` out")
        clock_filter = replace(clock_filter, scope=Scope.HOP)
    soon = counts.due_soon_counts(session, clock_filter, now=now)
    numbers = _numbers([*counts.open_counts(session, clock_filter), *soon])
    teams: dict[str, Counter[str]] = defaultdict(Counter)
    for (team, _), states in numbers.items():
        teams[team].update(states)
    reps = [_group(team, rep, states) for (team, rep), states in sorted(numbers.items())]
    if wants_csv(request, parameters.format):
        columns = list(columns_of(GroupCountsOut))
        return csv_response(request, "counts", columns, [row_of(it, columns) for it in reps])
    total = sum(teams.values(), Counter[str]())
    return BoardCountsOut(
        **_counts(total),
        has_more_due_soon=sum(it.number for it in soon) > MAX_SOON,
        overdue_timers=counts.overdue_timer_count(session, now=now),
        teams=[_group(team, "", states) for team, states in sorted(teams.items())],
        reps=reps,
    )


def _numbers(group_counts: Iterable[GroupCount]) -> dict[tuple[str, str], Counter[str]]:
    """How many clocks are in each state, by team and rep."""
    numbers: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for team, rep, state, number in group_counts:
        numbers[team, rep][state] += number
    return numbers


def _group(team: str, rep: str, states: Mapping[str, int]) -> GroupCountsOut:
    return GroupCountsOut(**_counts(states), team=team, rep=rep or None)


def _counts(states: Mapping[str, int]) -> dict[str, int]:
    """The values of the fields of CountsOut."""
    at_risk, due_soon = states.get("at_risk", 0), states.get("due_soon", 0)
    return {
        "open_breaches": states.get("breached", 0),
        "at_risk": at_risk,
        "due_soon": min(due_soon, MAX_SOON),
        "running": states.get("running", 0) + at_risk,
        "paused": states.get("paused", 0),
    }


class RecentParameters(BaseModel):
    """How far back the counts go, and of which team."""

    model_config = ConfigDict(extra="forbid")

    team: PlainText | None = Field(default=None, description="Only promises of this team.")
    hours: int = Field(default=1, ge=1, le=24, description="So many hours back.")
    format: Format = Field(default=None, description=FORMAT)


@router.get(
    "/recent",
    response_model=RecentOut,
    responses={**CSV_RESPONSE, **problems(*KEY_ERRORS, InvalidRequest)},
)
def count_recent(
    request: Request,
    parameters: Annotated[RecentParameters, Query()],
    session: Tx,
    now: Now,
    _: OpsOrRead,
) -> RecentOut | Response:
    """How many promises were kept and broken in each five minutes of the last hours, by when that happened."""
    first = start_of_step(now - timedelta(hours=parameters.hours)) + STEP
    numbers = counts.recent_counts(session, team=parameters.team, since=first)
    steps = [
        StepOut(
            since=since,
            met=numbers.get((since, "met"), 0),
            breached=numbers.get((since, "breached"), 0),
        )
        for since in (first + STEP * index for index in range(12 * parameters.hours))
    ]
    if wants_csv(request, parameters.format):
        columns = list(columns_of(StepOut))
        return csv_response(request, "recent", columns, [row_of(it, columns) for it in steps])
    return RecentOut(items=steps)
