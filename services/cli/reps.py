"""`leadbaton reps`: who may get leads, and where they are told."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from services.cli.database import transaction
from services.routing.domain.roster import Roster, parse
from services.routing.handlers.importing import Imported, import_reps
from services.routing.queries.handoffs import held_by
from services.routing.queries.roster import disabled_endpoints, reps_by_id
from shared.agreement.model import Agreement
from shared.agreement.versions import Agreements, NoAgreement
from shared.clock import utc_now
from shared.documents import text_of
from shared.http.outbound import check_url, policy_for
from shared.secrets import Vault
from shared.settings import Settings

app = typer.Typer(help="Who may get leads, and where they are told.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Such as reps.yaml.")]


@app.command("import")
def import_file(file: File) -> None:
    """Make the file true. New endpoints' secrets go to stdout as JSON, this once; all else to stderr."""
    settings = Settings()
    vault = Vault(settings.secret_key)
    source = text_of(file.read_bytes(), name=str(file))
    guard = partial(check_url, policy=policy_for(settings.allow_networks))
    with transaction(settings.database_url) as session:
        roster = parse(source, name=str(file), agreement=_agreement(session), check_url=guard)
        imported = import_reps(session, roster, vault=vault, now=utc_now())
    _tell(roster, imported)
    typer.echo(orjson.dumps(imported.secrets, option=orjson.OPT_INDENT_2).decode())


@app.command("list")
def list_reps() -> None:
    """Everybody who may or might get leads, and how many they hold."""
    with transaction(Settings().database_url) as session:
        everybody = reps_by_id(session)
        held = held_by(session, [it.id for it in everybody])
        disabled = disabled_endpoints(session)
    table = Table("Rep", "Name", "Team", "Holds", "Weight", "Endpoint")
    for rep in everybody:
        name = rep.name if rep.active else f"{rep.name} (inactive)"
        limit = "" if rep.open_limit is None else f" of {rep.open_limit}"
        endpoint = disabled.get(f"rep/{rep.id}", "in use")
        holds = f"{held.get(rep.id, 0)}{limit}"
        table.add_row(rep.id, name, rep.team, holds, f"{rep.weight:g}", endpoint)
    Console().print(table)


def _agreement(session: Session) -> Agreement | None:
    """What the file's teams and calendars are checked against; nothing is published on the first day."""
    try:
        return Agreements().current(session).agreement
    except NoAgreement:
        return None


def _tell(roster: Roster, imported: Imported) -> None:
    said = Console(stderr=True)
    table = Table("Rep", "Team", "Endpoint", "Secret")
    for rep in roster.reps:
        new = f"rep/{rep.id}" in imported.secrets
        table.add_row(rep.id, rep.team, rep.endpoint.url, "new, shown once" if new else "kept")
    said.print(table)
    if imported.inactive:
        said.print(f"no longer in the file, now inactive: {', '.join(imported.inactive)}")
