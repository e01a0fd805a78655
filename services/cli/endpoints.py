"""`leadbaton endpoints`: their states, and new secrets for them."""

from __future__ import annotations

from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.cli.database import transaction
from services.routing.handlers.secret_rotation import rotate_secret
from services.routing.queries.endpoints import list_endpoints
from shared.auth.vault import Vault
from shared.clock import utc_now
from shared.process.settings import Settings

app = typer.Typer(help="The endpoints of reps, teams and ops.", no_args_is_help=True)


@app.command("list")
def show() -> None:
    """List every endpoint with its state and its pending webhooks."""
    with transaction(Settings().database_url) as session:
        rows = list_endpoints(session)
    table = Table("Endpoint", "Host", "State", "Since", "Failures", "Pending")
    for row in rows:
        since = f"{row.since:%Y-%m-%d %H:%M}" if row.since else ""
        state = row.state.replace("_", " ")
        table.add_row(
            escape(row.id),
            escape(row.host or ""),
            state,
            since,
            str(row.failures),
            str(row.pending),
        )
    Console().print(table)


@app.command()
def rotate(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="As `list` shows them.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every endpoint: after the secret key was lost.")
    ] = False,
) -> None:
    """Make new secrets, printed once as JSON to stdout. For 24 hours each webhook has the old signature too."""
    if bool(ids) == every:
        raise typer.BadParameter(
            "name endpoints, as `leadbaton endpoints list` shows them, or --all"
        )
    settings, now = Settings(), utc_now()
    vault = Vault(settings.secret_key)
    with transaction(settings.database_url) as session:
        names = sorted({row.id for row in list_endpoints(session)} if every else set(ids or ()))
        rotated = {id: rotate_secret(session, id, vault=vault, now=now) for id in names}
    stderr = Console(stderr=True)
    for id, secret in rotated.items():
        signatures = (
            f"both sign until {secret.old_secret_until:%Y-%m-%d %H:%M} UTC"
            if secret.old_secret_until
            else "the old one cannot be read, so that only the new one signs"
        )
        stderr.print(f"{escape(id)}: {signatures}")
    typer.echo(
        orjson.dumps(
            {id: secret.secret for id, secret in rotated.items()}, option=orjson.OPT_INDENT_2
        ).decode()
    )
