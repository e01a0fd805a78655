"""`leadbaton endpoints`: their states and addresses, new secrets and keys for them, tests of them."""

from __future__ import annotations

import sys
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.cli.database import transaction
from services.routing.delivery.endpoint_tests import EndpointTester
from services.routing.domain.endpoints import UnknownEndpoint
from services.routing.domain.formats import Format
from services.routing.handlers.endpoint_addresses import save_address
from services.routing.handlers.secret_rotation import rotate_key, rotate_secret
from services.routing.queries.deliveries import cancel_for_endpoints
from services.routing.queries.endpoints import delete_endpoint, enable_endpoint, list_endpoints
from shared.agreement.store import Agreements
from shared.auth.vault import Vault
from shared.clock import utc_now
from shared.db.session import engine_for, sessions_on
from shared.http.outbound import check_url
from shared.process.destinations import destinations
from shared.process.settings import Settings

app = typer.Typer(help="The endpoints of reps, teams and ops.", no_args_is_help=True)

EndpointId = Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")]


@app.command("list")
def show() -> None:
    """List every endpoint with its state and its pending webhooks."""
    with transaction(Settings().database_url) as session:
        rows = list_endpoints(session)
    table = Table("Endpoint", "Host", "Format", "State", "Since", "Failures", "Pending")
    for row in rows:
        since = f"{row.since:%Y-%m-%d %H:%M}" if row.since else ""
        state = row.state.replace("_", " ")
        table.add_row(
            escape(row.id),
            escape(row.host),
            row.format,
            state,
            since,
            str(row.failures),
            str(row.pending),
        )
    Console().print(table)


@app.command("set")
def set_address(
    id: Annotated[str, typer.Argument(metavar="ID", help="rep/ID, team/ID, ops or marketing.")],
    format_: Annotated[
        Format, typer.Option("--format", help="What the receiver takes.")
    ] = Format.STANDARD,
    url: Annotated[
        str | None,
        typer.Option(
            help="Where webhooks go; `-` reads it from standard input, as it may be a secret."
        ),
    ] = None,
) -> None:
    """Say where an endpoint is, and in which format it takes webhooks; the secret of a new one is printed once.

    An import of reps whose file names the endpoint says it anew.
    """
    settings = Settings()
    entered = sys.stdin.readline().strip() if url == "-" else url
    if entered is not None:
        check_url(entered, destinations(settings.allow_networks, ports=settings.ports()))
    with transaction(settings.database_url) as session:
        secret = save_address(
            session,
            id,
            url=entered,
            format_=format_,
            vault=Vault(settings.secret_key),
            agreements=Agreements(),
        )
    Console(stderr=True).print(f"{escape(id)} takes webhooks as {format_}")
    if secret is not None:
        typer.echo(orjson.dumps({id: secret}, option=orjson.OPT_INDENT_2).decode())


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


@app.command("rotate-key")
def renew_key(id: EndpointId) -> None:
    """Give the endpoint an ed25519 key, its first or another one, and print the public key.

    Its webhooks have a signature of version v1a too from then on. For 24 hours the old key signs as well.
    """
    settings, now = Settings(), utc_now()
    vault = Vault(settings.secret_key)
    with transaction(settings.database_url) as session:
        rotation = rotate_key(session, id, vault=vault, now=now)
    if rotation.old_key_until is not None:
        until = f"{rotation.old_key_until:%Y-%m-%d %H:%M} UTC"
        Console(stderr=True).print(f"{escape(id)}: both keys sign until {until}")
    typer.echo(rotation.public_key)


@app.command()
def test(id: EndpointId) -> None:
    """Send the endpoint a signed webhook of type endpoint.test, and show its response; 1 unless it is a 2xx."""
    settings = Settings()
    engine = engine_for(settings.database_url, pool_size=1)
    policy = destinations(settings.allow_networks, ports=settings.ports())
    tester = EndpointTester(sessions_on(engine), settings.secret_key, policy, utc_now)
    tested = tester.send_test(id, actor="ops/cli")
    engine.dispose()
    status = "no response" if tested.response.status is None else tested.response.status
    Console().print(
        f"{escape(id)}: {status} after {tested.took_ms:.0f} ms {escape(tested.response.detail)}"
    )
    raise typer.Exit(0 if tested.is_delivered else 1)


@app.command()
def enable(id: EndpointId) -> None:
    """Use a disabled endpoint again, as after it was repaired."""
    with transaction(Settings().database_url) as session:
        if not enable_endpoint(session, id):
            raise UnknownEndpoint(id)
    Console().print(f"{escape(id)} is in use")


@app.command()
def delete(id: EndpointId) -> None:
    """Delete the endpoint with its secrets; pending webhooks to it are cancelled.

    An import of reps whose file still names it makes it anew, with a new secret.
    """
    with transaction(Settings().database_url) as session:
        if not delete_endpoint(session, id):
            raise UnknownEndpoint(id)
        cancelled = cancel_for_endpoints(session, [id], now=utc_now())
    Console().print(f"{escape(id)} is deleted; webhooks cancelled: {cancelled}")
