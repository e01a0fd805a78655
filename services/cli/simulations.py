"""`leadbaton agreement simulate`: where a draft of the agreement would send leads that were routed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from services.cli.database import transaction
from services.cli.people import handoff_of
from services.routing.api.simulations import SelectionOut, SimulatedOut, SimulationOut
from services.routing.handlers import Assigner
from services.routing.handlers.simulation import simulate, simulate_one
from shared.agreement.load import parse
from shared.clock import utc_now
from shared.documents import text_of
from shared.process.settings import Settings
from shared.terminal import Terminal


def simulate_draft(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="A draft of agreement.yaml.")
    ],
    days: Annotated[int, typer.Option(min=1, max=90, help="The leads of so many days.")] = 7,
    handoff: Annotated[
        str | None, typer.Option(metavar="EMAIL", help="One lead, and whom the rules would choose.")
    ] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="As the API answers it.")] = False,
) -> None:
    """Show where a draft's rules would send leads that were routed; nothing changes."""
    draft = parse(text_of(file.read_bytes(), name=str(file)), name=str(file))
    settings, now = Settings(), utc_now()
    assigner = Assigner(settings.public_url)
    with transaction(settings.database_url) as session:
        if handoff is None:
            simulated = simulate(session, draft, days=days, assigner=assigner, now=now)
            simulation = SimulationOut.of(simulated)
        else:
            id = handoff_of(session, handoff).id
            simulated_lead, selection = simulate_one(session, id, draft, assigner=assigner, now=now)
            simulation = SimulationOut.of_one(simulated_lead, selection)
    if json:
        typer.echo(simulation.model_dump_json(indent=2))
    else:
        _print(simulation)


def _print(simulation: SimulationOut) -> None:
    terminal = Terminal()
    leads = "1 lead" if simulation.leads == 1 else f"{simulation.leads:,} leads"
    typer.echo(f"{leads}, of which {simulation.moved:,} would go to another team. Nothing changes.")
    table = Table("By rule", "Team", "By the draft", "Team", "Leads")
    for move in simulation.moves:
        table.add_row(move.rule, move.team, move.new_rule, move.new_team, f"{move.leads:,}")
    if simulation.moves:
        terminal.print(table)
    if simulation.selection is not None:
        terminal.print(_candidates(simulation.selection))
        typer.echo(f"The draft would choose {simulation.selection.rep or 'nobody'} at this moment.")
        return
    for example in simulation.examples:
        typer.echo(_line(example))


def _candidates(selection: SelectionOut) -> Table:
    table = Table("Candidate", "Excluded by, or shortfall")
    for candidate in selection.candidates:
        excluded = "; ".join(it["detail"] for it in candidate["excluded"])
        table.add_row(candidate["rep"], excluded or f"{candidate['shortfall']:.2f}")
    return table


def _line(example: SimulatedOut) -> str:
    return f"{example.handoff_id}: {example.team} to {example.new_team}, by {example.new_rule}"
