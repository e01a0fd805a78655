"""`leadbaton accounts`: companies and the reps who own them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.cli.database import transaction
from services.cli.output import AsJson, Limit, plain_table, print_json
from services.cli.roster_output import lines_of_accounts
from services.routing.accounts_file import COLUMNS, accounts_as_csv
from services.routing.handlers.account_import import import_accounts
from services.routing.queries.accounts import all_accounts, list_accounts
from shared.clock import utc_now
from shared.documents import CsvFile
from shared.documents.csv_file import MAX_BYTES
from shared.process.settings import Settings
from shared.terminal import Terminal

app = typer.Typer(help="Companies and the reps who own them.", no_args_is_help=True)


@app.command("import")
def import_file(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, help="A CSV with the columns `domain` and `rep`."
        ),
    ],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what it would change, and change nothing.")
    ] = False,
) -> None:
    """Make the accounts of the file the only ones; leads that wait are reviewed. It is shown what changes.

    The file may be as Excel saves it: UTF-8, UTF-16 or Windows-1252, with commas, semicolons or tabs.
    """
    with file.open("rb") as opened:
        table = CsvFile(opened.read(MAX_BYTES + 1), name=str(file), required=COLUMNS)
    with transaction(Settings().database_url) as session:
        difference = import_accounts(session, table, dry_run=dry_run, now=utc_now())
    for line in lines_of_accounts(difference):
        typer.echo(line)
    if dry_run and not difference.is_empty:
        typer.echo("nothing was changed; without --dry-run it takes effect")


@app.command()
def export() -> None:
    """Print all accounts as a CSV that imports to no difference."""
    with transaction(Settings().database_url) as session:
        for line in accounts_as_csv(all_accounts(session)):
            typer.echo(line, nl=False)


@app.command("list")
def list_(
    *,
    rep: Annotated[str | None, typer.Option(help="Only accounts of this rep.")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List accounts by domain."""
    with transaction(Settings().database_url) as session:
        accounts = list_accounts(session, rep=rep, limit=limit)
    if as_json:
        print_json([it._asdict() for it in accounts])
        return
    table = plain_table("Account", "Rep")
    for account in accounts:
        table.add_row(account.domain, account.rep)
    Terminal().print(table if accounts else "There are no such accounts.")
