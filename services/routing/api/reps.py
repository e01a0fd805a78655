"""Routes for reps: their limits, loads, hours and shares, and absences that ops record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from services.routing.domain.policy import RoutingPolicy
from services.routing.domain.rep_status import RepStatus, rep_statuses
from services.routing.domain.roster import (
    OPEN_END,
    Absence,
    NoSuchRep,
    RecordedAbsence,
    Rep,
    Roster,
)
from services.routing.handlers.absences import record_absence
from services.routing.handlers.assignment import Assigner
from services.routing.handlers.deactivation import deactivate_rep
from services.routing.queries import absences, endpoints, handoffs, reps
from shared.agreement.model import Id
from shared.agreement.store import NoAgreement
from shared.auth.keys import InactiveRep, KeyScope, UnknownKey, WrongScope
from shared.http.csv_tables import (
    CSV_RESPONSE,
    FORMAT,
    Format,
    columns_of,
    csv_response,
    row_of,
    wants_csv,
)
from shared.http.dependencies import AnyReader, Now, Ops, Tx
from shared.http.parameters import EmptyRange, Instant, time_range
from shared.http.problems import problems

MAX_ABSENCES = 5
"""How many absences are shown of a rep: those that are not over, the earliest first."""

RepId = Annotated[Id, Path(description="The rep's id in the file of reps.")]


class TimeOffOut(BaseModel):
    """Time off that is not over yet."""

    since: datetime
    until: datetime | None = Field(description="null until it is known.")
    actor: str | None = Field(description="Who recorded it beside the file; null for the file's.")


class HoursOut(BaseModel):
    """The working hours that count for the rep."""

    model_config = ConfigDict(from_attributes=True)

    calendar: str = Field(description="The rep's own, else the team's.")
    open: bool = Field(description="Whether they are open now.")
    until: datetime | None = Field(
        description="When they close, or open; null where they do not close in the next 8 days."
    )


class ShareOut(BaseModel):
    """What the rep got of the team's leads in this period, beside what is fair by weight."""

    model_config = ConfigDict(from_attributes=True)

    period: str = Field(description="A month such as 2026-11, or `ever`.")
    assigned: int
    credit: float = Field(description="Leads of others that count as the rep's, for leave.")
    fair: float = Field(description="By the weights of the team's active reps, from 0 to 1.")
    real: float | None = Field(description="Of all that these reps got, with credits, 0 to 1.")
    shortfall: float = Field(description="Leads that the rep lacks to the fair share.")


class RepOut(BaseModel):
    """A rep with their limits, and how they are now."""

    id: str
    name: str
    team: str
    active: bool
    weight: float
    holds: int
    open_limit: int | None
    per_day_limit: int | None
    endpoint_disabled: str | None
    today: int | None = Field(
        default=None, description="Assignments of the team's day; null without an agreement."
    )
    last_assigned_at: datetime | None = None
    hours: HoursOut | None = Field(
        default=None, description="null where the agreement does not have the team."
    )
    time_off: list[TimeOffOut] = Field(
        default=[], description="What is not over yet: the next five, from the file and by ops."
    )
    share: ShareOut | None = Field(
        default=None, description="null for an inactive rep, and with a rep's key."
    )

    @classmethod
    def of(cls, rep: Rep, *, holds: int, disabled: str | None, time_off: list[TimeOffOut]) -> Self:
        """The rep without what only a team's policy tells."""
        return cls(
            id=rep.id,
            name=rep.name,
            team=rep.team,
            active=rep.active,
            weight=rep.weight,
            holds=holds,
            open_limit=rep.open_limit,
            per_day_limit=rep.per_day_limit,
            endpoint_disabled=disabled,
            time_off=time_off,
        )


class Reps(BaseModel):
    """All reps, or the caller."""

    items: list[RepOut]


class RepsQuery(BaseModel):
    """How the list is answered."""

    model_config = ConfigDict(extra="forbid")

    format: Format = Field(default=None, description=FORMAT)


class AwayIn(BaseModel):
    """From when until when the rep gets no leads."""

    model_config = ConfigDict(
        extra="forbid",
        populate_by_name=True,
        json_schema_extra={"examples": [{"until": "2026-12-01T08:00:00Z"}]},
    )

    since: Instant | None = Field(default=None, alias="from", description="By default now.")
    until: Instant | None = Field(
        default=None, description="Without it, until `back` is called for the rep."
    )

    def absence(self, now: datetime) -> Absence:
        """The absence; raises EmptyRange."""
        since, until = self.since or now, self.until or OPEN_END
        time_range(since, until)
        return Absence(since, until)


def router(assigner: Assigner) -> APIRouter:
    """The routes."""
    routes = APIRouter()

    @routes.get(
        "/reps",
        response_model=Reps,
        responses={**CSV_RESPONSE, **problems(UnknownKey, WrongScope, InactiveRep)},
    )
    def list_reps(
        request: Request,
        session: Tx,
        caller: AnyReader,
        now: Now,
        query: Annotated[RepsQuery, Query()],
    ) -> Reps | Response:
        """List the reps by team and rank: load, capacity, hours, time off, share; with a rep's key only that rep."""
        is_rep = caller.scope is KeyScope.REP
        listed = reps.reps_by_id(session, [caller.subject] if is_rep else None)
        items = with_status(session, listed, assigner, now)
        lines = [it.model_copy(update={"share": None}) if is_rep else it for it in items]
        if wants_csv(request, query.format):
            columns = list(columns_of(RepOut))
            return csv_response(request, "reps", columns, [_row(it, columns) for it in lines])
        return Reps(items=lines)

    routes.include_router(_status_routes(assigner))
    return routes


def _status_routes(assigner: Assigner) -> APIRouter:
    """What ops record of a rep beside the file."""
    routes = APIRouter()

    @routes.post(
        "/reps/{id}/away", responses=problems(UnknownKey, WrongScope, NoSuchRep, EmptyRange)
    )
    def away(id: RepId, session: Tx, caller: Ops, now: Now, body: AwayIn) -> RepOut:
        """Let the rep get no leads for a time, in place of an absence that was recorded before.

        It takes effect at once, and imports of the file of reps keep it. Others' leads are credited, as for time off of
        the file. What the rep holds stays with the rep.
        """
        recorded = RecordedAbsence(body.absence(now), f"ops/{caller.subject}")
        record_absence(session, id, recorded, now=now)
        return _shown_rep(session, id, assigner, now)

    @routes.post("/reps/{id}/back", responses=problems(UnknownKey, WrongScope, NoSuchRep))
    def back(id: RepId, session: Tx, _: Ops, now: Now) -> RepOut:
        """End the absence that ops recorded; leads that wait are assigned at once. Time off of the file stays."""
        record_absence(session, id, None, now=now)
        return _shown_rep(session, id, assigner, now)

    @routes.post("/reps/{id}/deactivate", responses=problems(UnknownKey, WrongScope, NoSuchRep))
    def deactivate(id: RepId, session: Tx, _: Ops, now: Now) -> RepOut:
        """Give the rep no more leads, as an import does that leaves the rep out of the file.

        The rep's keys are refused, and webhooks that are still to be sent to the rep are cancelled. What the rep holds
        stays with the rep until a re-route. The next import decides anew: take the rep out of the file, too.
        """
        deactivate_rep(session, id, now=now)
        return _shown_rep(session, id, assigner, now)

    return routes


def _row(rep: RepOut, columns: list[str]) -> dict[str, object]:
    """The rep's values by column; of the time off the first that is not over."""
    row = row_of(rep, columns)
    first = next(iter(rep.time_off), None)
    return row if first is None else row | {f"time_off_{name}": it for name, it in first}


def _shown_rep(session: Session, id: str, assigner: Assigner, now: datetime) -> RepOut:
    return next(with_status(session, reps.reps_by_id(session, [id]), assigner, now))


def with_status(
    session: Session, listed: list[Rep], assigner: Assigner, now: datetime
) -> Iterator[RepOut]:
    """These reps, each with limits, loads, hours, time off and share."""
    ids = [it.id for it in listed]
    held = handoffs.held_by(session, ids)
    disabled = endpoints.disabled_endpoints(session)
    recorded = absences.absences_by_rep(session, ids)
    statuses = _statuses(session, {it.team for it in listed}, assigner, now)
    for rep in listed:
        item = RepOut.of(
            rep,
            holds=held.get(rep.id, 0),
            disabled=disabled.get(f"rep/{rep.id}"),
            time_off=_time_off(rep, recorded.get(rep.id), now),
        )
        status = statuses.get(rep.id)
        if status is not None:
            item.today = status.load.today
            item.last_assigned_at = status.load.last_assigned_at
            item.hours = HoursOut.model_validate(status.hours)
            if status.share is not None:
                item.share = ShareOut.model_validate(status.share)
        yield item


def _statuses(
    session: Session, team_ids: set[str], assigner: Assigner, now: datetime
) -> dict[str, RepStatus]:
    """The status of each rep of these teams, as far as the agreement has the teams."""
    policy = _policy(session, assigner)
    if policy is None:
        return {}
    roster = Roster(0, {it.id: it for it in reps.reps_by_id(session)})
    return {
        status.load.rep.id: status
        for team in (policy.teams[it] for it in sorted(team_ids & policy.teams.keys()))
        for status in rep_statuses(
            reps.rep_loads(session, roster, team, also=(), now=now), policy=team, now=now
        )
    }


def _policy(session: Session, assigner: Assigner) -> RoutingPolicy | None:
    """The policy of the agreement in force; None before the first is published."""
    try:
        return assigner.policies.current(session)
    except NoAgreement:
        return None


def _time_off(rep: Rep, recorded: RecordedAbsence | None, now: datetime) -> list[TimeOffOut]:
    coming = sorted((it for it in rep.time_off if it.until > now), key=lambda it: it.since)
    return [
        TimeOffOut(
            since=it.since,
            until=None if it.is_open_ended else it.until,
            actor=recorded.actor if recorded is not None and it == recorded.absence else None,
        )
        for it in coming[:MAX_ABSENCES]
    ]
