"""`leadbaton handoffs`: which rep has which lead since when, and one handoff with everything that explains it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from services.cli import answers
from services.cli.breaches import clock_table
from services.cli.database import transaction
from services.cli.nearest_changes import change_text, margin_text
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
from services.cli.people import HandoffName, handoff_of, lead_of
from services.cli.reroutes import reroute
from services.routing.api.handoffs import HandoffDetails, HandoffOut
from services.routing.domain.handoff import Handoff, State
from services.routing.handlers import Assigner
from services.routing.handlers.explanation import read_history
from services.routing.queries.lists import HandoffFilter, every_handoff
from services.scoring.queries.leads import merged_ids
from services.sla_monitor.api.clocks import ClockOut
from services.sla_monitor.queries.acknowledgements import acknowledgements_of
from services.sla_monitor.queries.lists import clocks_of
from shared.clock import utc_now
from shared.db.time_range import TimeRange
from shared.process.settings import Settings
from shared.terminal import Terminal

app = typer.Typer(
    no_args_is_help=True, help="Handoffs: list them, show one, answer for a rep, re-route."
)
for command in (*answers.COMMANDS, reroute):
    app.command()(command)

ID_DIGITS = 8
"""So many digits of an id are shown; `show` takes them."""


@app.command("list")
def list_(  # noqa: PLR0913 - each parameter is an option
    *,
    lead: Annotated[
        str | None, typer.Option(metavar="EMAIL", help="Only handoffs of this lead.")
    ] = None,
    state: Annotated[
        list[State] | None,
        typer.Option(help="Only handoffs in this state; repeated, in one of these."),
    ] = None,
    team: Annotated[str | None, typer.Option(help="Only handoffs of this team.")] = None,
    rep: Annotated[str | None, typer.Option(help="Only handoffs of this rep.")] = None,
    tier: Annotated[str | None, typer.Option(help="Only handoffs of this tier.")] = None,
    source: Annotated[str | None, typer.Option(help="Only leads that this source sent.")] = None,
    campaign: Annotated[str | None, typer.Option(help="Only leads of this campaign.")] = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List handoffs, the newest first. Times are in UTC, and those of the qualification."""
    with transaction(Settings().database_url) as session:
        leads = merged_ids(session, lead_of(session, lead)) if lead is not None else None
        handoff_filter = HandoffFilter(
            state or (), team, rep, tier, source, campaign, leads, TimeRange(since, until)
        )
        handoffs = every_handoff(session, handoff_filter, limit=limit)
    if as_json:
        print_json([HandoffOut.of(it) for it in handoffs])
    else:
        Terminal().print(
            handoff_table(handoffs, utc_now()) if handoffs else "There are no such handoffs."
        )


@app.command()
def show(name: HandoffName, as_json: AsJson = False) -> None:
    """Show a handoff: its decisions, its steps, its webhooks and its promises. Times are in UTC."""
    settings, now = Settings(), utc_now()
    with transaction(settings.database_url) as session:
        handoff = handoff_of(session, name)
        history = read_history(
            session, handoff.id, rep=None, assigner=Assigner(settings.public_url)
        )
        details = HandoffDetails.of_history(history)
        clocks = clocks_of(session, [handoff.id])
        acknowledgements = acknowledgements_of(session, [it.id for it in clocks])
    if as_json:
        clocks_out = [ClockOut.of(it, now, acknowledgements.get(it.id)) for it in clocks]
        print_json({"handoff": details, "clocks": clocks_out})
        return
    terminal = Terminal()
    terminal.print(handoff_table([handoff], now))
    for decision in details.decisions:
        terminal.print(Text(f"\nDecision {decision['hop']}", "bold"), _choice(decision))
        terminal.print(_candidates(decision))
    for title, table in (
        ("Steps", _steps(details)),
        ("Steps of ladders", _escalations(details)),
        ("Webhooks", _webhooks(details)),
        ("Promises", clock_table([(it, None) for it in clocks], now, acknowledgements)),
    ):
        if table.row_count:
            terminal.print(Text(f"\n{title}", "bold"))
            terminal.print(table)


def handoff_table(handoffs: Iterable[Handoff], now: datetime) -> Table:
    """A row for each handoff; `For` is how long its rep has had it, or how long it has waited."""
    titles = ("Lead", "State", "Rep", "Team", "Tier", "Qualified", "For", "Handoff")
    table = plain_table(*titles, unbroken=["Qualified", "For", "Handoff"])
    for handoff in handoffs:
        since = handoff.assigned_at or handoff.qualified_at
        table.add_row(
            handoff.lead.context.email or handoff.lead.context.phone or "",
            handoff.state,
            handoff.rep or "",
            handoff.team,
            handoff.tier,
            instant(handoff.qualified_at),
            duration((handoff.closed_at or now) - since),
            handoff.id.hex[:ID_DIGITS],
        )
    return table


def _choice(decision: dict[str, Any]) -> str:
    """The decision in a sentence."""
    rule = f"by rule {decision['rule']} of agreement {decision['agreement_version']}"
    if decision["owner"] is not None:
        rule += f"; {decision['owner']} owns the account"
    if decision["picked"] is None:
        return f"no rep of {decision['team']} could take it, {rule}"
    return f"{decision['picked']} of {decision['team']} by {decision['strategy']}, {rule}"


def _candidates(decision: dict[str, Any]) -> Table:
    table = plain_table("Rep", "Excluded because", "Would have got it")
    for candidate in decision["candidates"]:
        reasons = [f"{it['reason']} ({it['detail']})" for it in candidate["excluded"]]
        is_picked = candidate["rep"] == decision["picked"]
        text = margin_text(decision) if is_picked else change_text(candidate["nearest_change"])
        table.add_row(candidate["rep"], "; ".join(reasons), text)
    return table


def _steps(details: HandoffDetails) -> Table:
    table = plain_table("At", "Change", "Rep", "By", "Details", unbroken=["At"])
    for step in details.history:
        facts = ", ".join(f"{name} {value}" for name, value in step.details.items())
        table.add_row(instant(step.occurred_at), step.change, step.rep or "", step.actor, facts)
    return table


def _escalations(details: HandoffDetails) -> Table:
    table = plain_table("Due", "Step", "Promise", "Rep", "Outcome", unbroken=["Due"])
    for step in details.escalations:
        outcome = step.outcome or "pending"
        table.add_row(instant(step.due_at), step.step, step.policy, step.rep, outcome)
    return table


def _webhooks(details: HandoffDetails) -> Table:
    titles = ("Created", "Type", "Endpoint", "State", "Attempts", "Last response")
    table = plain_table(*titles, unbroken=["Created"])
    for delivery in details.deliveries:
        table.add_row(
            instant(delivery.created_at),
            delivery.type,
            delivery.endpoint,
            delivery.state,
            str(delivery.attempt_count),
            _last_response(delivery.attempts),
        )
    return table


def _last_response(attempts: Sequence[Any]) -> str:
    if not attempts:
        return ""
    last = max(attempts, key=lambda it: it.number)
    return str(last.status) if last.status is not None else last.detail
