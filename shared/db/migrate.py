"""Runs the migrations that a database lacks, one migrator at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import ClassVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from shared.db.locks import AdvisoryLock
from shared.db.roles import grant_roles
from shared.errors import LeadbatonError, Unavailable

PATIENCE_S = 60
"""How long a migrator waits for another one."""


class NewerDatabase(LeadbatonError):
    """The database was migrated by a newer version of Leadbaton."""

    code: ClassVar[str] = "newer_database"


class MigrationWaits(Unavailable):
    """A migration needs a lock that another transaction holds."""

    code: ClassVar[str] = "migration_waits"


def upgrade(engine: Engine, *, patience_s: float = PATIENCE_S) -> list[str]:
    """Run the migrations that are pending and return them in order, each with its summary.

    Raises MigrationWaits when another migrator or another transaction holds a lock for too long, and NewerDatabase
    when a newer version migrated the database. Migrations that ran before an error remain. It then grants the roles
    of the services, where the server has them, the use of the tables.
    """
    with engine.connect() as guard, guard.begin():
        _wait_for_other_migrators(guard, patience_s)
        with engine.connect() as connection:
            migrations = pending(connection)
            connection.rollback()
            with _lock_timeouts_as("a table is in use, and other transactions would have to wait"):
                command.upgrade(_config(connection), "heads")
            connection.commit()
            grant_roles(connection)
            connection.commit()
    return migrations


def pending(connection: Connection) -> list[str]:
    """The migrations that this database still lacks, in the order in which they would run."""
    heads = MigrationContext.configure(connection).get_current_heads()
    script = ScriptDirectory.from_config(_config())
    revisions = {it.revision: it.doc for it in script.walk_revisions()}
    if unknown := sorted(set(heads) - revisions.keys()):
        raise NewerDatabase(
            f"the database is newer than this version of Leadbaton, which does not know its migration "
            f"{', '.join(unknown)}: start the version that migrated it, or a newer one"
        )
    done = {it.revision for it in script.iterate_revisions(heads, "base")} if heads else set()
    return [f"{it}: {doc}" for it, doc in reversed(revisions.items()) if it not in done]


def _wait_for_other_migrators(guard: Connection, patience_s: float) -> None:
    """Take the lock until the transaction ends, which stays idle while migrations run."""
    guard.execute(text("set local idle_in_transaction_session_timeout = 0"))
    guard.execute(text(f"set local lock_timeout = {round(patience_s * 1000)}"))
    with _lock_timeouts_as(f"another `leadbaton migrate` has run for {patience_s:.0f} s"):
        guard.execute(
            text("select pg_advisory_xact_lock(:it)"), {"it": int(AdvisoryLock.MIGRATION)}
        )


@contextmanager
def _lock_timeouts_as(reason: str) -> Iterator[None]:
    """Raise MigrationWaits with this reason where a lock is not free in time."""
    try:
        yield
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            raise MigrationWaits(f"{reason}: nothing is broken, run it again") from None
        raise


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    config.attributes["connection"] = connection
    return config
