"""`leadbaton breaches`: promises that were broken, with the lead, the rep and how long they are overdue."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

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
from services.sla_monitor.api.clocks import ClockOut
from services.sla_monitor.domain.clocks import Clock
from services.sla_monitor.queries import lists
from services.sla_monitor.queries.lists import ClockFilter, Slice
from shared.clock import utc_now
from shared.db.time_range import TimeRange
from shared.process.settings import Settings
from shared.terminal import Terminal


def breaches(  # noqa: PLR0913 - each parameter is an option
    *,
    team: Annotated[str | None, typer.Option(help="Only promises of this team.")] = None,
    rep: Annotated[str | None, typer.Option(help="Only promises of this rep.")] = None,
    tier: Annotated[str | None, typer.Option(help="Only promises about this tier.")] = None,
    with_answered: Annotated[
        bool, typer.Option("--all", help="Those that were answered too late, too.")
    ] = False,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List promises that are broken and not answered yet, the newest first. Times are in UTC, those of the breach."""
    now = utc_now()
    clock_filter = ClockFilter(team, rep, tier, times=TimeRange(since, until))
    with transaction(Settings().database_url) as session:
        clocks = lists.breaches(
            session, clock_filter, Slice(limit=limit), now=now, still_open=not with_answered
        )
        handoffs = handoffs_by_id(session, {it.handoff_id for it in clocks})
    emails = {id: handoff.lead.context.email for id, handoff in handoffs.items()}
    if as_json:
        fields = [ClockOut.of(it, now).model_dump(mode="json") for it in clocks]
        emails_json = [{"lead_email": emails.get(it.handoff_id)} for it in clocks]
        print_json([{**it, **email} for it, email in zip(fields, emails_json, strict=True)])
    elif clocks:
        Terminal().print(clock_table([(it, emails.get(it.handoff_id)) for it in clocks], now))
    else:
        Terminal().print("There are no such breaches.")


def clock_table(clocks: Iterable[tuple[Clock, str | None]], now: datetime) -> Table:
    """A row for each clock, with the e-mail of its lead."""
    titles = ("Lead", "Promise", "State", "Rep", "Team", "Due", "Overdue")
    table = plain_table(*titles, unbroken=["Due", "Overdue"])
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
        )
    return table


def _state(clock: Clock, *, is_broken: bool) -> str:
    if clock.ended_at is None:
        return "overdue" if is_broken else "running"
    return clock.state
