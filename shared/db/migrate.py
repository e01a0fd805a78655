"""Brings a database to the newest migration, one migrator at a time."""

from __future__ import annotations

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

LOCK = 0x1EAD_BA70
"""The advisory lock that a migrator holds, so that a second one waits its turn."""


def upgrade(engine: Engine) -> list[str]:
    """Run what has not run yet; the migrations that ran now, in order, each with its summary."""
    with engine.connect() as guard, guard.begin():
        guard.execute(text("set local lock_timeout = '60s'"))
        guard.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        with engine.connect() as connection:
            to_do = pending(connection)
            connection.rollback()
            command.upgrade(_config(connection), "heads")
            connection.commit()
    return to_do


def pending(connection: Connection) -> list[str]:
    """The migrations that this database still lacks, in the order in which they would run."""
    done = MigrationContext.configure(connection).get_current_heads()
    script = ScriptDirectory.from_config(_config())
    run = {it.revision for it in script.iterate_revisions(done, "base")} if done else set()
    missing = [it for it in script.walk_revisions() if it.revision not in run]
    return [f"{it.revision}: {it.doc}" for it in reversed(missing)]


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    config.attributes["connection"] = connection
    return config
