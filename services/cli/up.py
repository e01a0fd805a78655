"""`leadbaton up`: starts servers and processes on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.cli.installation import installation
from services.cli.processes import ALIGNMENT_API, CONSOLE, ROUTING_API, SCORING_API, SLA_API
from shared.embedded.stack import Stack
from shared.process.lifecycle import stop_on_signals

DATA = Path(".leadbaton")


def up(  # noqa: PLR0913 - each parameter is an option
    *,
    data: Annotated[
        Path, typer.Option(envvar="LEADBATON_DATA", help="The directory that keeps everything.")
    ] = DATA,
    agreement: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Publish this agreement.")
    ] = None,
    reps: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Import these reps.")
    ] = None,
    console_port: Annotated[int, typer.Option(min=1, max=65_535, help="For browsers.")] = 8000,
    scoring_port: Annotated[int, typer.Option(min=1, max=65_535, help="For events.")] = 8001,
    routing_port: Annotated[int, typer.Option(min=1, max=65_535, help="For reps' answers.")] = 8002,
    sla_port: Annotated[int, typer.Option(min=1, max=65_535, help="For ops.")] = 8003,
    alignment_port: Annotated[int, typer.Option(min=1, max=65_535, help="For reports.")] = 8004,
) -> None:
    """Start PostgreSQL, a broker and every process on this machine; Ctrl-C stops them all.

    This is for evaluation and development: one machine, servers on loopback, their data in one directory.
    The other commands find this installation by that directory (`leadbaton --data DIR …`).
    """
    stop = stop_on_signals()
    ports = {CONSOLE.name: console_port, SCORING_API.name: scoring_port}
    ports |= {ROUTING_API.name: routing_port, SLA_API.name: sla_port}
    ports |= {ALIGNMENT_API.name: alignment_port}
    with installation(Stack(data), ports, _report) as running:
        if agreement is not None:
            running.command("agreement", "publish", str(agreement))
            _report(f"{agreement} is published")
        if reps is not None:
            typer.echo(running.command("reps", "import", str(reps)), nl=False)
        running.start(stop=stop)
        if not stop.is_set():
            apis = (CONSOLE, SCORING_API, ROUTING_API, SLA_API, ALIGNMENT_API)
            urls = " · ".join(f"{it.command[0]} {running.url(it)}" for it in apis)
            typer.echo(f"Leadbaton is ready: {urls} · data in {data} · Ctrl-C stops it")
            typer.echo(f"Signed in, once: {running.command('console', 'link')}", nl=False)
        running.maintain(stop, _report)
        _report("stopping")


def _report(message: str) -> None:
    typer.echo(f"  {message}", err=True)
