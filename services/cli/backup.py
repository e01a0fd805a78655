"""`leadbaton backup` writes the database to a file; `leadbaton restore` makes an installation from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr

from services.cli.database import transaction
from services.cli.up import DATA
from services.routing.queries import endpoints, reps
from shared.auth.vault import BadSecretKey, Vault
from shared.embedded.dumps import check_dump, dump
from shared.embedded.restoration import restoration
from shared.embedded.stack import Stack
from shared.errors import LeadbatonError
from shared.process.settings import Settings


class WrongKey(LeadbatonError):
    """The key does not decrypt the webhook secrets of the backup, or none was named."""

    code = "wrong_secret_key"


def backup(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(dir_okay=False, help="A new file.")],
) -> None:
    """Write everything that PostgreSQL holds at this instant to a file; processes may run meanwhile.

    The file holds personal data, and the webhook secrets, encrypted. The secret key is not in it: keep it elsewhere.
    """
    url = Settings().database_url
    with transaction(url) as session:
        reps.active_reps(session)  # an error in words if this is no database of Leadbaton
    dump(url, file)
    key = f"{ctx.obj / 'secret_key'}" if isinstance(ctx.obj, Path) else "LEADBATON_SECRET_KEY"
    typer.echo(f"{file}: {file.stat().st_size:,} bytes; keep {key} too, in another place")


def restore(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="What `leadbaton backup` wrote.")
    ],
    data: Annotated[
        Path,
        typer.Option(envvar="LEADBATON_DATA", help="The empty directory of the new installation."),
    ] = DATA,
    secret_key: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="The file with the secret key of the backed-up installation.",
        ),
    ] = None,
    lost_key: Annotated[
        bool, typer.Option("--lost-key", help="Make a new key: webhook secrets are lost.")
    ] = False,
) -> None:
    """Make an installation of `leadbaton up` from a backup, in an empty directory; when it fails, nothing is left.

    Start it with `leadbaton up` afterwards. What was accepted after the backup is not in it.
    """
    check_dump(file)
    key = _key(secret_key, lost=lost_key)
    with restoration(data, file, key, _report) as stack:
        if key is not None:
            _check_secrets(stack, file, key)
    typer.echo(f"{data} holds what {file} held: start it with `leadbaton up --data {data}`")
    if key is None:
        typer.echo(
            "its key is new, so every endpoint needs a new secret, `leadbaton endpoints rotate --all`, and its URL "
            "again: `leadbaton reps import FILE`"
        )


def _key(file: Path | None, *, lost: bool) -> str | None:
    """The key in the file; None if it is lost."""
    if (file is None) != lost:
        raise WrongKey(
            "name the file with the secret key of the backed-up installation (its file `secret_key`) with "
            "--secret-key, or, where it is lost, give --lost-key instead"
        )
    if file is None:
        return None
    key = file.read_text(encoding="utf-8", errors="replace").strip()
    try:
        Vault(SecretStr(key))
    except BadSecretKey:
        raise WrongKey(
            f"{file} is no secret key: name the file `secret_key` of that time"
        ) from None
    return key


def _check_secrets(stack: Stack, file: Path, key: str) -> None:
    with transaction(stack.environment["LEADBATON_DATABASE_URL"]) as session:
        encrypted = endpoints.find_encrypted_secret(session)
    try:
        if encrypted is not None:
            Vault(SecretStr(key)).decrypt(encrypted)
    except BadSecretKey:
        raise WrongKey(
            f"the webhook secrets in {file} were encrypted with another key: name the secret key of that time with "
            "--secret-key, or, where it is lost, give --lost-key instead"
        ) from None


def _report(message: str) -> None:
    typer.echo(f"  {message}", err=True)
