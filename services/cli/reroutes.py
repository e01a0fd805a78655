"""`leadbaton handoffs reroute`: gives the handoffs of a rep to others, after a look at who would get them."""

from __future__ import annotations

from threading import Event
from typing import Annotated
from uuid import UUID

import typer
from rich.progress import Progress
from rich.table import Table

from services.cli.database import transaction
from services.cli.output import plain_table
from services.routing.domain.handoff import Handoff
from services.routing.domain.reassignment import BY_OPS, Reassignment
from services.routing.domain.reroutes import Move, MoveOutcome, RerouteState
from services.routing.handlers import Assigner
from services.routing.handlers.reroutes import (
    advance_reroutes,
    cancel_reroute,
    confirm_reroute,
    find_reroute,
    plan_reroute,
)
from services.routing.queries.handoffs import handoffs_by_id
from services.routing.queries.reroutes import locked_of_rep, moves_of, progress_of
from shared.clock import utc_now
from shared.process.settings import Settings
from shared.terminal import Terminal

MAX_ROWS = 50
"""So many handoffs of a plan are shown."""
ID_DIGITS = 8
WAIT_FOR_WORKERS_S = 0.1
"""The pause after a look that left everything to the workers, which have it locked."""

By = Annotated[
    str, typer.Option(envvar="USER", help="Who re-routes; published with each reassignment.")
]


def reroute(
    rep: Annotated[str, typer.Argument(metavar="REP", help="The id of the rep.")],
    *,
    reason: Annotated[
        str, typer.Option(help="Why; published with each reassignment.", metavar="TEXT")
    ] = BY_OPS,
    by: By = "operator",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it begins.")] = False,
    progress: Annotated[
        bool, typer.Option("--progress", help="Say how far the re-route of this rep is that runs.")
    ] = False,
    cancel: Annotated[
        bool, typer.Option("--cancel", help="End the re-route of this rep that runs.")
    ] = False,
) -> None:
    """Show who would get the handoffs that a rep holds, ask, and give them to those reps.

    Workers go on with it where this command is stopped.
    """
    if cancel:
        _cancel(rep)
        return
    if progress:
        _show_progress(rep)
        return
    id = plan(rep, Reassignment(f"ops/{by}", reason))
    if id is None:
        return
    if yes or typer.confirm("Go on?"):
        carry_out(id)


def plan(rep: str, command: Reassignment, *, max_rows: int = MAX_ROWS) -> UUID | None:
    """Plan and print the re-route; its id, or None where the rep holds nothing."""
    settings, terminal = Settings(), Terminal()
    with transaction(settings.database_url) as session:
        planned = plan_reroute(
            session, rep, command=command, assigner=Assigner(settings.public_url), now=utc_now()
        )
        progress = progress_of(session, planned.id)
        moves = moves_of(session, planned.id, limit=max_rows)
        handoffs = handoffs_by_id(session, {it.handoff_id for it in moves})
    if not progress.total:
        terminal.print(f"{rep} holds no handoffs.")
        return None
    terminal.print(_table([(it, handoffs[it.handoff_id]) for it in moves]))
    if progress.total > len(moves):
        terminal.print(f"and {progress.total - len(moves)} more")
    shares = ", ".join(
        f"{name or 'nobody yet'} {count}" for name, count in progress.planned.most_common()
    )
    terminal.print(f"\n{number_of_handoffs(progress.total)} of {rep}: {shares}")
    return planned.id


def carry_out(id: UUID) -> RerouteState:
    """Confirm the re-route and carry it out, together with the workers; returns how it has ended."""
    settings, terminal = Settings(), Terminal(stderr=True)
    with transaction(settings.database_url) as session:
        rep = confirm_reroute(session, id, now=utc_now()).rep
        total = progress_of(session, id).total
    assigner, pause = Assigner(settings.public_url), Event()
    with Progress(console=terminal, transient=True) as bar:
        task = bar.add_task("re-routing", total=total)
        state = RerouteState.RUNNING
        while state is RerouteState.RUNNING:
            with transaction(settings.database_url) as session:
                advanced = advance_reroutes(session, assigner=assigner, now=utc_now())
                progress = progress_of(session, id)
                state = find_reroute(session, id).state
            bar.update(task, completed=total - progress.pending)
            if not advanced:
                pause.wait(WAIT_FOR_WORKERS_S)
    moved = total - progress.pending - progress.outcomes[MoveOutcome.SKIPPED]
    terminal.print(f"{rep}: {number_of_handoffs(moved)} given to others, or waiting for them")
    if state is RerouteState.CANCELLED:
        terminal.print(f"the re-route was cancelled; {rep} keeps {progress.pending}")
    return state


def number_of_handoffs(count: int) -> str:
    """The count with its noun."""
    return f"{count} handoff{'' if count == 1 else 's'}"


def _cancel(rep: str) -> None:
    with transaction(Settings().database_url) as session:
        for live in locked_of_rep(session, rep):
            cancel_reroute(session, live.id, now=utc_now())
            if live.state is RerouteState.RUNNING:
                left = progress_of(session, live.id).pending
                typer.echo(f"the re-route of {rep} is cancelled: {rep} keeps {left}")
                return
    typer.echo(f"no re-route of {rep} runs")


def _show_progress(rep: str) -> None:
    with transaction(Settings().database_url) as session:
        for live in locked_of_rep(session, rep):
            if live.state is RerouteState.RUNNING:
                so_far = progress_of(session, live.id)
                done = so_far.total - so_far.pending
                typer.echo(f"the re-route of {rep} runs: {done} of {so_far.total} are done")
                return
    typer.echo(f"no re-route of {rep} runs")


def _table(rows: list[tuple[Move, Handoff]]) -> Table:
    table = plain_table("Lead", "Team", "Tier", "To", "Handoff")
    for move, handoff in rows:
        table.add_row(
            handoff.lead.context.email or handoff.lead.context.phone or "",
            handoff.team,
            handoff.tier,
            move.planned_rep or "nobody yet",
            handoff.id.hex[:ID_DIGITS],
        )
    return table
