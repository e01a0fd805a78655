"""`leadbaton agreement`: checks a file, publishes it as a version, prints the reference of its fields."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.cli.database import transaction
from services.cli.teams import REMEDY, teams_without_reps
from shared.agreement.load import parse
from shared.agreement.model import Agreement
from shared.agreement.reference import reference
from shared.agreement.store import publish as publish_version
from shared.clock import utc_now
from shared.documents import InvalidDocument, text_of
from shared.process.settings import Settings

app = typer.Typer(help="The agreement between marketing and sales.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Such as agreement.yaml.")]


@app.command()
def check(file: File) -> None:
    """Check the file; prints each fault as file:line:column: fault; how to mend it."""
    agreement, _ = _sound(file)
    rules = len(agreement.scoring.fit) + len(agreement.scoring.signals)
    routing = agreement.routing
    typer.echo(
        f"{file} is sound: {rules} scoring rules, {len(agreement.qualification.tiers)} tiers, "
        f"{len(routing.rules)} routing rules, {len(routing.teams)} teams, {len(agreement.sla.policies)} promises"
    )


@app.command()
def publish(
    file: File,
    by: Annotated[
        str, typer.Option(envvar="USER", help="The publisher's name, stored with the version.")
    ] = "operator",
) -> None:
    """Publish the file as the next version, in force from now on; the same file changes nothing."""
    _, source = _sound(file)
    with transaction(Settings().database_url) as session:
        published = publish_version(session, source, by=by, now=utc_now())
        without = teams_without_reps(session, published.agreement)
    typer.echo(f"version {published.version} of the agreement is current")
    if without:
        warning = (
            f"leads for {', '.join(without)} will wait: no active rep is in these teams; {REMEDY}"
        )
        typer.echo(f"warning: {warning}", err=True)


@app.command("reference")
def show_reference() -> None:
    """Print the reference of the file's fields as Markdown (docs/agreement.md)."""
    typer.echo(reference(), nl=False)


def _sound(file: Path) -> tuple[Agreement, str]:
    try:
        source = text_of(file.read_bytes(), name=str(file))
        return parse(source, name=str(file)), source
    except InvalidDocument as wrong:
        typer.echo(wrong.message, err=True)
        raise typer.Exit(1) from None
