"""`leadbaton agreement`: checks and publishes files, shows versions, prints the reference and the schema of files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.table import Table
from sqlalchemy.exc import DBAPIError

from services.cli.database import transaction
from services.cli.simulations import simulate_draft
from services.cli.teams import REMEDY, teams_without_reps
from services.scoring.queries.ledger import event_types_since
from shared.agreement.drafts import contents, difference
from shared.agreement.load import parse, placed
from shared.agreement.model import Agreement
from shared.agreement.reference import reference
from shared.agreement.store import Version, publish_again, source_of, versions
from shared.agreement.store import publish as publish_source
from shared.agreement.unseen_types import DAYS, unseen_types
from shared.clock import utc_now
from shared.db.outages import is_outage
from shared.documents import Document, InvalidDocument, text_of
from shared.documents.schema import json_schema
from shared.process.settings import Settings
from shared.terminal import Terminal

app = typer.Typer(help="The agreement between marketing and sales.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Such as agreement.yaml.")]
Number = Annotated[int, typer.Argument(min=1, help="The number of a version.")]
By = Annotated[
    str, typer.Option(envvar="USER", help="The publisher's name, stored with the version.")
]
Note = Annotated[
    str, typer.Option(help="What changes and why, in a sentence; stored with the version.")
]

TIMEOUT_MS = 5_000
"""So long the events are read for their types."""


@app.command()
def check(file: File) -> None:
    """Check the file; prints each fault as file:line:column: fault; how to mend it.

    Where an installation is there, it also warns of events that have not arrived in the last 30 days.
    """
    agreement, source = _sound(file)
    typer.echo(f"{file} is sound: {contents(agreement)}")
    settings = Settings()
    if "database_url" in settings.model_fields_set:
        _warn(_unseen_types(agreement, source, name=str(file), url=settings.database_url))


@app.command()
def publish(
    file: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="Such as agreement.yaml.")
    ] = None,
    by: By = "operator",
    note: Note = "",
    version: Annotated[
        int | None,
        typer.Option(min=1, help="Publish this version once more, as the way back to it."),
    ] = None,
) -> None:
    """Publish the file, or an old version, as the next version, in force from now on; the newest changes nothing."""
    if (file is None) == (version is None):
        raise typer.BadParameter("name a file, or --version with the number of an old version")
    url = Settings().database_url
    agreement, source = (None, "") if file is None else _sound(file)
    with transaction(url) as session:
        if version is not None:
            published = publish_again(session, version, by=by, note=note, now=utc_now())
        else:
            published = publish_source(session, source, by=by, note=note, now=utc_now())
        without = teams_without_reps(session, published.agreement)
    typer.echo(f"version {published.version} of the agreement is current")
    if without:
        teams = ", ".join(without)
        _warn([f"leads for {teams} will wait: no active rep is in these teams; {REMEDY}"])
    if agreement is not None:
        _warn(_unseen_types(agreement, source, name=str(file), url=url))


@app.command("versions")
def list_versions() -> None:
    """List all published versions, the newest first: when, by whom, and the note."""
    with transaction(Settings().database_url) as session:
        published = versions(session)
    table = Table("Version", "Published", "By", "Note")
    for version in published:
        table.add_row(
            str(version.number),
            f"{version.published_at:%Y-%m-%d %H:%M} UTC",
            version.published_by,
            _note(version),
        )
    Terminal().print(table)


@app.command()
def show(number: Number) -> None:
    """Print the file of a version, as it was published."""
    with transaction(Settings().database_url) as session:
        typer.echo(source_of(session, number), nl=False)


@app.command()
def diff(
    before: Number,
    after: Annotated[
        str,
        typer.Argument(help="The number of another version, or a file; such as agreement.yaml."),
    ],
) -> None:
    """Print the lines that differ between two versions, or between a version and a file; nothing where none do."""
    with transaction(Settings().database_url) as session:
        first = source_of(session, before)
        if after.isdecimal():
            second, name = source_of(session, int(after)), f"version {after}"
        else:
            second, name = _read(Path(after)), after
    for line in difference(first, second, names=(f"version {before}", name)):
        typer.echo(line)


app.command("simulate")(simulate_draft)


@app.command()
def status() -> None:
    """Say which version is current, and how many leads are still to be judged or counted by it."""
    scoring = import_module("services.scoring.main")  # when called, so that --help stays quick
    progress = scoring.progress(Settings())
    typer.echo(f"version {progress.version} of the agreement is current")
    typer.echo(f"{progress.done} of {progress.leads} leads are judged by it")
    if progress.to_judge:
        typer.echo(f"{progress.to_judge} are still to be judged again: the scores stay as they are")
    if progress.to_count:
        typer.echo(f"{progress.to_count} are still to be counted again from their events")


@app.command("reference")
def show_reference() -> None:
    """Print the reference of the file's fields as Markdown (docs/agreement.md)."""
    typer.echo(reference(), nl=False)


@app.command("schema")
def show_schema() -> None:
    """Print the JSON Schema of the file, for editors (docs/schemas/agreement.json)."""
    typer.echo(orjson.dumps(json_schema(Agreement), option=orjson.OPT_INDENT_2).decode())


def _read(file: Path) -> str:
    if not file.is_file():
        raise typer.BadParameter(f"{file} is neither the number of a version nor a file")
    return text_of(file.read_bytes(), name=str(file))


def _sound(file: Path) -> tuple[Agreement, str]:
    try:
        source = text_of(file.read_bytes(), name=str(file))
        return parse(source, name=str(file)), source
    except InvalidDocument as wrong:
        typer.echo(wrong.message, err=True)
        raise typer.Exit(1) from None


def _warn(warnings: Iterator[str] | list[str]) -> None:
    for warning in warnings:
        typer.echo(f"warning: {warning}", err=True)


def _unseen_types(agreement: Agreement, source: str, *, name: str, url: str) -> Iterator[str]:
    """A warning for each type of events that has not arrived lately, with its position in the file."""
    since = utc_now() - timedelta(days=DAYS)
    try:
        with transaction(url) as session:
            recent_types = event_types_since(session, since, timeout_ms=TIMEOUT_MS)
    except DBAPIError as error:
        if not is_outage(error):
            raise
        yield f"the types of events were not compared with those of the last {DAYS} days: the database is busy or away"
        return
    document = Document.of(source, name=name)
    for fault in placed(document, unseen_types(agreement, recent_types)):
        yield f"{name}:{fault.line}:{fault.column}: {fault.message}"


def _note(version: Version) -> str:
    """The note, and the earlier version that has the same file."""
    again = f"as version {version.first}" if version.first < version.number else ""
    return "; ".join(filter(None, [version.note, again]))
