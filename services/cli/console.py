"""`leadbaton console`: runs the console, and prints links that sign somebody in to it."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

import typer

from services.cli.database import transaction
from services.cli.keys import check_rep, subject_of
from services.cli.processes import CONSOLE
from shared.auth.keys import KeyScope
from shared.auth.sign_in import KEY_IS_VALID_FOR, LINK_IS_VALID_FOR, create_link
from shared.clock import utc_now
from shared.process.settings import Settings
from shared.terminal import Terminal

app = typer.Typer(help="Run the console, or print a link that signs you in to it.")


@app.callback(invoke_without_command=True)
def _console(ctx: typer.Context) -> None:
    """Run the console, which shows ops and reps who has which lead, and what is late; or one of the commands."""
    if ctx.invoked_subcommand is None:
        CONSOLE.run()


@app.command()
def link(
    rep: Annotated[
        str | None,
        typer.Option(
            parser=subject_of, metavar="ID", help="Sign in as this rep, who sees their own."
        ),
    ] = None,
    ops: Annotated[
        str | None,
        typer.Option(
            parser=subject_of,
            metavar="NAME",
            help="Sign in as ops under this name, which changes are published with; by default $USER.",
        ),
    ] = None,
    user: Annotated[str, typer.Option(envvar="USER", hidden=True)] = "operator",
) -> None:
    """Print a link that signs in to the console once, within five minutes; the link alone goes to stdout."""
    if rep is not None and ops is not None:
        raise typer.BadParameter("write --rep or --ops, not both")
    settings, now = Settings(), utc_now()
    scope = KeyScope.OPS if rep is None else KeyScope.REP
    subject = rep or ops or subject_of(user)
    with transaction(settings.database_url) as session:
        if scope is KeyScope.REP:
            check_rep(session, subject)
        token = create_link(session, scope=scope, subject=subject, now=now)
    minutes = LINK_IS_VALID_FOR.total_seconds() / 60
    hours = KEY_IS_VALID_FOR.total_seconds() / 3600
    Terminal(stderr=True).print(
        f"signs in as {scope} {subject}, once, within {minutes:g} minutes; you stay signed in for {hours:g} hours"
    )
    typer.echo(f"{settings.console_url.rstrip('/')}/sign-in?{urlencode({'token': token})}")
