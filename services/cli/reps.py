"""`leadbaton reps`: the reps who may get leads, and their endpoints."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.table import Table
from sqlalchemy.orm import Session

from services.cli.database import transaction
from services.cli.output import AsJson, print_json
from services.cli.reroutes import By, carry_out, number_of_handoffs
from services.cli.roster_output import end_of, lines_of, load_table, print_import
from services.routing.api.reps import with_status
from services.routing.domain.reassignment import Reassignment
from services.routing.domain.reroutes import RerouteState
from services.routing.domain.roster import OPEN_END, Absence, RecordedAbsence
from services.routing.handlers import Assigner
from services.routing.handlers.absences import record_absence
from services.routing.handlers.deactivation import deactivate_rep
from services.routing.handlers.reroutes import plan_reroute
from services.routing.handlers.roster_import import import_reps
from services.routing.handlers.rosters import compare_roster, export_roster
from services.routing.queries.endpoints import disabled_endpoints
from services.routing.queries.handoffs import held_by
from services.routing.queries.reps import reps_by_id
from services.routing.roster_csv import parse_csv
from services.routing.roster_file import RosterFile, parse
from services.routing.roster_reference import reference
from shared.agreement.load import parse as parse_agreement
from shared.agreement.model import Agreement
from shared.agreement.store import Agreements, NoAgreement
from shared.auth.vault import Vault
from shared.clock import utc_now
from shared.documents import InvalidDocument, text_of
from shared.documents.csv_file import MAX_BYTES
from shared.documents.schema import json_schema
from shared.http.outbound import check_url
from shared.http.parameters import instant_since
from shared.process.destinations import destinations
from shared.process.settings import Settings
from shared.terminal import Terminal

app = typer.Typer(help="The reps who may get leads, and their endpoints.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Such as reps.yaml.")]


Reroute = Annotated[
    bool,
    typer.Option("--reroute", help="Give the handoffs of inactive reps to others of their teams."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what it would change, and change nothing.")
]
REP_INACTIVE = "rep_inactive"
"""The reason of reassignments because of `--reroute`."""
CSV_ENDINGS = (".csv", ".tsv", ".txt")


@app.command("import")
def import_file(
    file: File, reroute_held: Reroute = False, by: By = "operator", dry_run: DryRun = False
) -> None:
    """Import the file as the whole roster; secrets of new endpoints go to stdout as JSON, once, the rest to stderr.

    It is YAML, or a CSV of the reps as Excel saves it; a CSV leaves fallbacks and accounts as they are.
    """
    settings = Settings()
    guard = partial(check_url, policy=destinations(settings.allow_networks, ports=settings.ports()))
    vault = Vault(settings.secret_key)
    if dry_run:
        with transaction(settings.database_url) as session:
            roster = _roster(file, _agreement(session), guard)
            difference = compare_roster(session, roster, vault=vault)
        for line in lines_of(difference):
            typer.echo(line)
        return
    with transaction(settings.database_url) as session:
        roster = _roster(file, _agreement(session), guard)
        imported = import_reps(session, roster, vault=vault, now=utc_now())
    print_import(roster, imported, reroute=reroute_held)
    typer.echo(orjson.dumps(imported.secrets, option=orjson.OPT_INDENT_2).decode())
    if reroute_held and imported.held_by_inactive:
        command = Reassignment(f"ops/{by}", REP_INACTIVE)
        for rep in imported.held_by_inactive:
            _reroute(rep, settings, command)


@app.command()
def check(
    file: File,
    agreement: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Whose teams and calendars the file must name; by default the agreement in force.",
        ),
    ] = None,
) -> None:
    """Check the file; prints each fault as file:line:column: fault; how to mend it.

    URLs are checked against the networks that webhooks may reach where an installation is there.
    """
    settings = Settings()
    is_installed = "database_url" in settings.model_fields_set
    try:
        agreed = (
            None if agreement is None else parse_agreement(_text(agreement), name=str(agreement))
        )
        if agreed is None and is_installed:
            with transaction(settings.database_url) as session:
                agreed = _agreement(session)
        policy = destinations(settings.allow_networks, ports=settings.ports())
        guard = partial(check_url, policy=policy) if is_installed else _any_url
        roster = _roster(file, agreed, guard)
    except InvalidDocument as wrong:
        typer.echo(wrong.message, err=True)
        raise typer.Exit(1) from None
    against = "" if agreed else "; teams and calendars were not checked, for there is no agreement"
    typer.echo(f"{file} is sound: {len(roster.reps)} reps, {len(roster.teams)} teams{against}")


@app.command()
def export() -> None:
    """Print the roster as a file that imports to no difference; endpoints are left out, and stay as they are."""
    with transaction(Settings().database_url) as session:
        typer.echo(export_roster(session), nl=False)


@app.command("reference")
def show_reference() -> None:
    """Print the reference of the file's fields as Markdown (docs/reps.md)."""
    typer.echo(reference(), nl=False)


@app.command("schema")
def show_schema() -> None:
    """Print the JSON Schema of the file, for editors (docs/schemas/reps.json)."""
    typer.echo(orjson.dumps(json_schema(RosterFile), option=orjson.OPT_INDENT_2).decode())


RepId = Annotated[str, typer.Argument(metavar="ID", help="The rep's id, as `list` shows it.")]


@app.command()
def away(
    rep: RepId,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--from", metavar="DATE", parser=instant_since, help="A date or an instant; now."
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            metavar="DATE",
            parser=instant_since,
            help="The first date (from midnight in UTC), or the first instant, back at work.",
        ),
    ] = None,
    by: By = "operator",
) -> None:
    """Let the rep get no leads from now on; imports of the file keep it. Without --until, until `back`."""
    now = utc_now()
    absence = Absence(since or now, until or OPEN_END)
    if absence.since >= absence.until:
        raise typer.BadParameter("--until must be later than --from, or than now")
    with transaction(Settings().database_url) as session:
        record_absence(session, rep, RecordedAbsence(absence, f"ops/{by}"), now=now)
    typer.echo(f"{rep} gets no leads from {absence.since:%Y-%m-%d %H:%M} UTC {end_of(absence)}")


@app.command()
def back(rep: RepId) -> None:
    """End what `away` began: leads that wait are assigned at once. Time off of the file stays."""
    now = utc_now()
    with transaction(Settings().database_url) as session:
        record_absence(session, rep, None, now=now)
        [stored] = reps_by_id(session, [rep])
    until = stored.away_until(now)
    text = (
        "is back"
        if until is None
        else f"is on time off by the file until {until:%Y-%m-%d %H:%M} UTC"
    )
    typer.echo(f"{rep} {text}")


@app.command()
def deactivate(rep: RepId) -> None:
    """Give the rep no more leads, as an import does that leaves the rep out: take the rep out of the file, too."""
    with transaction(Settings().database_url) as session:
        cancelled = deactivate_rep(session, rep, now=utc_now())
        held = held_by(session, [rep]).get(rep, 0)
    typer.echo(f"{rep} is inactive; webhooks cancelled: {cancelled}")
    if held:
        typer.echo(
            f"{rep} still holds {number_of_handoffs(held)}: leadbaton handoffs reroute {rep} plans who gets them"
        )


@app.command("list")
def list_reps() -> None:
    """List all reps, active or not, with the number of handoffs that each holds."""
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
    Terminal().print(table)


@app.command()
def load(
    *,
    team: Annotated[str | None, typer.Option(help="Only reps of this team.")] = None,
    as_json: AsJson = False,
) -> None:
    """Report each active rep's load: what they hold, what they got in this period, fair share and real share."""
    settings = Settings()
    with transaction(settings.database_url) as session:
        listed = [it for it in reps_by_id(session) if it.active and team in (None, it.team)]
        loads = list(with_status(session, listed, Assigner(settings.public_url), utc_now()))
    if as_json:
        print_json(loads)
    else:
        Terminal().print(load_table(loads) if loads else "There are no such reps.")


def _roster(
    file: Path, agreement: Agreement | None, check_url: Callable[[str], None]
) -> RosterFile:
    """The file as YAML, or by the ending of its name as CSV."""
    with file.open("rb") as opened:
        content, name = opened.read(MAX_BYTES + 1), str(file)
    if file.suffix.lower() in CSV_ENDINGS:
        return parse_csv(content, name=name, agreement=agreement, check_url=check_url)
    source = text_of(content, name=name)
    return parse(source, name=name, agreement=agreement, check_url=check_url)


def _text(file: Path) -> str:
    return text_of(file.read_bytes(), name=str(file))


def _any_url(_url: str) -> None:
    """Accept every URL: which ones may be called is a setting of an installation."""


def _agreement(session: Session) -> Agreement | None:
    """The agreement that the file's teams and calendars are checked against, or None before the first is published."""
    try:
        return Agreements().current(session).agreement
    except NoAgreement:
        return None


def _reroute(rep: str, settings: Settings, command: Reassignment) -> None:
    """Give all handoffs of the rep to others, some thousands in each re-route."""
    goes_on = True
    while goes_on:
        with transaction(settings.database_url) as session:
            assigner = Assigner(settings.public_url)
            planned = plan_reroute(session, rep, command=command, assigner=assigner, now=utc_now())
        state = carry_out(planned.id)
        with transaction(settings.database_url) as session:
            goes_on = state is RerouteState.DONE and rep in held_by(session, [rep])
