"""`leadbaton breaches`: promises that were broken, with the lead, the rep and how long; acknowledges them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.table import Table
from sqlalchemy.orm import Session

from services.cli.database import transaction
from services.cli.output import (
    AsJson,
    Limit,
    Since,
    Until,
    duration,
    instant,
    plain_table,
    print_json,
)
from services.routing.queries.handoffs import handoffs_by_id
from services.sla_monitor.api.acknowledgements import MAX_NOTE
from services.sla_monitor.api.clocks import ClockOut
from services.sla_monitor.domain.clocks import Acknowledgement, Clock, UnknownClock
from services.sla_monitor.handlers.acknowledgement import on_acknowledgement
from services.sla_monitor.queries import lists
from services.sla_monitor.queries.acknowledgements import acknowledgements_of
from services.sla_monitor.queries.lists import ClockFilter
from services.sla_monitor.queries.walks import Slice
from shared.clock import utc_now
from shared.db.time_range import TimeRange
from shared.process.settings import Settings
from shared.terminal import Terminal

app = typer.Typer(help="Promises that are broken: list them, acknowledge one.")

ID_DIGITS = 8
"""So many digits of an id are shown; `acknowledge` takes them."""

Source = Annotated[str | None, typer.Option(help="Only about leads with this source.")]
Campaign = Annotated[str | None, typer.Option(help="Only about leads of this campaign.")]
Acknowledged = Annotated[
    bool | None,
    typer.Option(
        "--acknowledged/--not-acknowledged", help="Only those that ops know of, or only others."
    ),
]

_ID_PREFIX = re.compile(r"(?=.{6,36}\Z)[0-9a-f]+(-[0-9a-f]*)*", re.IGNORECASE)


@app.callback(invoke_without_command=True)
def breaches(  # noqa: PLR0913 - each parameter is an option
    context: typer.Context,
    *,
    team: Annotated[str | None, typer.Option(help="Only promises of this team.")] = None,
    rep: Annotated[str | None, typer.Option(help="Only promises of this rep.")] = None,
    tier: Annotated[str | None, typer.Option(help="Only promises about this tier.")] = None,
    source: Source = None,
    campaign: Campaign = None,
    with_answered: Annotated[
        bool, typer.Option("--all", help="Those that were answered too late, too.")
    ] = False,
    acknowledged: Acknowledged = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List promises that are broken and not answered yet, the newest first. Times are in UTC, those of the breach."""
    if context.invoked_subcommand is not None:
        return
    now = utc_now()
    times = TimeRange(since, until)
    filter_ = ClockFilter(
        team, rep, tier, source=source, campaign=campaign, times=times, acknowledged=acknowledged
    )
    with transaction(Settings().database_url) as session:
        page = Slice(limit=limit, max_examined=None)
        clocks, _ = lists.breaches(session, filter_, page, now=now, still_open=not with_answered)
        handoffs = handoffs_by_id(session, {it.handoff_id for it in clocks})
        acknowledgements = acknowledgements_of(session, [it.id for it in clocks])
    emails = {id: handoff.lead.context.email for id, handoff in handoffs.items()}
    rows = [(it, emails.get(it.handoff_id)) for it in clocks]
    if as_json:
        print_json([_json(it, email, acknowledgements.get(it.id), now) for it, email in rows])
    elif rows:
        Terminal().print(clock_table(rows, now, acknowledgements))
    else:
        Terminal().print("There are no such breaches.")


def _json(
    clock: Clock, email: str | None, acknowledgement: Acknowledgement | None, now: datetime
) -> dict[str, Any]:
    """The clock as the API responds with it, and the e-mail of its lead."""
    fields = ClockOut.of(clock, now, acknowledgement).model_dump(mode="json")
    return {**fields, "lead_email": email}


@app.command()
def acknowledge(
    clock_id: Annotated[
        str, typer.Argument(metavar="ID", help="The id of the clock, or its first digits.")
    ],
    note: Annotated[str, typer.Option(help=f"What ops know of it; {MAX_NOTE} characters at most.")],
    by: Annotated[str, typer.Option(help="Who acknowledges it.")] = "cli",
) -> None:
    """Acknowledge a breach with a note. It stays a breach; a second acknowledgement changes nothing."""
    if not note or len(note) > MAX_NOTE:
        raise typer.BadParameter(f"--note: write 1 to {MAX_NOTE} characters")
    with transaction(Settings().database_url) as session:
        id = _clock_id(session, clock_id)
        _, acknowledgement = on_acknowledgement(
            session, id, actor=f"ops/{by}", note=note, now=utc_now()
        )
    at = instant(acknowledgement.acknowledged_at)
    Terminal().print(f"acknowledged at {at} by {acknowledgement.actor}: {acknowledgement.note}")


def _clock_id(session: Session, text: str) -> UUID:
    """The id of the clock whose id begins like this; raises UnknownClock."""
    matches = lists.clocks_by_id_prefix(session, text.lower()) if _ID_PREFIX.fullmatch(text) else []
    if len(matches) != 1:
        several = "several clocks have" if matches else "no clock has"
        raise UnknownClock(
            f"{several} an id that begins with {text}: `leadbaton breaches` lists them"
        )
    return matches[0].id


def clock_table(
    clocks: Iterable[tuple[Clock, str | None]],
    now: datetime,
    acknowledgements: Mapping[UUID, Acknowledgement],
) -> Table:
    """A row for each clock, with the e-mail of its lead."""
    titles = ("Lead", "Promise", "State", "Rep", "Team", "Due", "Overdue", "Clock", "Acknowledged")
    table = plain_table(*titles, unbroken=["Due", "Overdue", "Clock"])
    for clock, email in clocks:
        is_broken = clock.is_broken(now=now)
        overdue = (clock.ended_at or now) - clock.due_at
        table.add_row(
            email or clock.lead_name or "",
            clock.policy,
            _state(clock, is_broken=is_broken),
            clock.rep or "",
            clock.team,
            instant(clock.due_at),
            duration(overdue) if is_broken else "",
            clock.id.hex[:ID_DIGITS],
            _note(acknowledgements.get(clock.id)),
        )
    return table


def _note(acknowledgement: Acknowledgement | None) -> str:
    return "" if acknowledgement is None else f"{acknowledgement.actor}: {acknowledgement.note}"


def _state(clock: Clock, *, is_broken: bool) -> str:
    if clock.ended_at is None:
        return "overdue" if is_broken else "running"
    return clock.state
