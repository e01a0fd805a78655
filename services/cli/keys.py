"""`leadbaton keys`: creates, lists, changes and revokes API keys. A new key is printed once, alone on stdout."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Annotated, cast

import typer
from rich.table import Table
from sqlalchemy.orm import Session

from services.cli.database import transaction
from services.routing.queries.reps import locked_activity, reps_by_id
from shared.agreement.durations import duration
from shared.auth.issuing import change_origins, create_key
from shared.auth.keys import Key, KeyScope, UnknownKey
from shared.auth.origins import normal_origin, normal_origins
from shared.auth.queries import keys, revoke_key
from shared.clock import utc_now
from shared.errors import Rejected
from shared.process.settings import Settings
from shared.terminal import Terminal, printable

MAX_SUBJECT = 100
MAX_LIFETIME = timedelta(days=3650)
MAX_SUGGESTIONS = 5


class UnknownRep(Rejected):
    """The rep of a new key does not exist, or is not active."""

    code = "unknown_rep"


app = typer.Typer(help="The keys that open the APIs.", no_args_is_help=True)
terminal = Terminal(stderr=True)


def _lifetime(text: str) -> timedelta:
    try:
        lifetime = cast("timedelta", duration(text))
    except (ValueError, OverflowError) as wrong:
        raise typer.BadParameter(str(wrong)) from None
    if lifetime > MAX_LIFETIME:
        raise typer.BadParameter(f"write {MAX_LIFETIME.days}d at most, or leave it out")
    return lifetime


def subject_of(text: str) -> str:
    """The subject of a new key; raises BadParameter."""
    if not 1 <= len(text) <= MAX_SUBJECT or printable(text) != " ".join(text.split()):
        raise typer.BadParameter(
            f"write 1 to {MAX_SUBJECT} printable characters, without blanks at the ends"
        )
    return text


def _origin(text: str) -> str:
    try:
        return normal_origin(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _checked(origins: Sequence[str], scope: KeyScope) -> tuple[str, ...]:
    if origins and scope is not KeyScope.INGEST:
        raise typer.BadParameter("pages of web sites send with keys of scope ingest only")
    try:
        return normal_origins(origins)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


@app.command()
def create(
    scope: Annotated[KeyScope, typer.Option(help="The APIs that the key opens.")],
    subject: Annotated[
        str,
        typer.Option(
            parser=subject_of,
            metavar="TEXT",
            help="The source, the rep's id, or the name of the ops key's user.",
        ),
    ],
    expires: Annotated[
        timedelta | None,
        typer.Option(parser=_lifetime, metavar="90d", help="How long the key is valid."),
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(
            parser=_origin,
            metavar="URL",
            help="A web site whose pages may send with this key, such as https://www.example.com; "
            "may be repeated.",
        ),
    ] = None,
) -> None:
    """Create a key, which is printed alone to stdout and cannot be shown again."""
    origins = _checked(origin or (), scope)
    now = utc_now()
    ends = now + expires if expires is not None else None
    with transaction(Settings().database_url) as session:
        if scope is KeyScope.REP:
            check_rep(session, subject)
        key = create_key(
            session, scope=scope, subject=subject, now=now, expires_at=ends, origins=origins
        )
    terminal.print(f"{scope} key for {subject}, valid {_until(ends)}. It is not shown again.")
    typer.echo(key)


def check_rep(session: Session, subject: str) -> None:
    """Raise UnknownRep unless the rep is active; no import changes that before the transaction ends."""
    active = locked_activity(session, subject)
    if active:
        return
    if active is not None:
        raise UnknownRep(
            f"the rep {subject} is not active: `leadbaton reps import FILE` with a file that has them as active, first"
        )
    known = [it.id for it in reps_by_id(session) if it.active]
    if not known:
        raise UnknownRep(
            f"there is no rep {subject}, nor any other: `leadbaton reps import FILE` first"
        )
    near = get_close_matches(subject, known, n=MAX_SUGGESTIONS, cutoff=0.5)
    names = near or sorted(known)[:MAX_SUGGESTIONS]
    more = "" if near or len(known) <= len(names) else ", …"
    raise UnknownRep(
        f"there is no rep {subject}: write one of {', '.join(names)}{more} (`leadbaton reps list` shows all), "
        "or import them first"
    )


@app.command("list")
def show() -> None:
    """List every key, revoked ones too, without its secret."""
    with transaction(Settings().database_url) as session:
        listed = keys(session)
    table = Table("id", "scope", "subject", "created", "state", "origins")
    for key in listed:
        created = f"{key.created_at:%Y-%m-%d %H:%M}"
        state = _state(key, utc_now())
        table.add_row(key.id, key.scope, key.subject, created, state, " ".join(key.origins))
    Terminal().print(table)


@app.command()
def origins(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")],
    add: Annotated[
        list[str] | None,
        typer.Option(
            parser=_origin,
            metavar="URL",
            help="A web site whose pages may send too; may be repeated.",
        ),
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="One whose pages may not; may be repeated."),
    ] = None,
) -> None:
    """Change, or show, the web sites whose pages may send with a key; the APIs follow within half a minute."""
    with transaction(Settings().database_url) as session:
        changed = change_origins(session, key_id, add=add or (), remove=remove or (), now=utc_now())
    terminal.print(f"pages of {len(changed)} web sites may send with the key {key_id}")
    for origin in changed:
        typer.echo(origin)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")],
) -> None:
    """End a key; the APIs refuse it within half a minute."""
    with transaction(Settings().database_url) as session:
        if not revoke_key(session, key_id, now=utc_now()):
            raise UnknownKey(f"there is no live key {key_id}: see `leadbaton keys list`")
    terminal.print(f"key {key_id} is revoked")


@app.command()
def secret() -> None:
    """Print a new LEADBATON_SECRET_KEY, which encrypts webhook secrets at rest. Keep it: only it decrypts them."""
    typer.echo(urlsafe_b64encode(secrets.token_bytes(32)).decode())


def _until(ends: datetime | None) -> str:
    return f"until {ends:%Y-%m-%d %H:%M} UTC" if ends is not None else "until it is revoked"


def _state(key: Key, now: datetime) -> str:
    if key.revoked_at is not None:
        return f"revoked {key.revoked_at:%Y-%m-%d}"
    if key.expires_at is not None and key.expires_at <= now:
        return f"expired {key.expires_at:%Y-%m-%d}"
    if key.suspended_at is not None:
        return f"suspended {key.suspended_at:%Y-%m-%d}: the rep is not active"
    return _until(key.expires_at)
