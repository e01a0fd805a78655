"""Runs the migrations, on the database in `LEADBATON_DATABASE_URL` or on the connection handed in."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

import services.alignment.older_tables
import services.alignment.tables
import services.routing.tables
import services.scoring.tables
import services.sla_monitor.tables
import shared.db.tables
from shared.db.session import engine_for
from shared.process.settings import Settings

METADATA = [
    shared.db.tables.metadata,
    services.scoring.tables.metadata,
    services.routing.tables.metadata,
    services.sla_monitor.tables.metadata,
    services.alignment.tables.metadata,
    services.alignment.older_tables.metadata,
]
SCHEMAS = {metadata.schema for metadata in METADATA}


def ours(name: str | None, kind: str, _parents: object) -> bool:
    """Compare our schemas only: others in the same database are not ours to judge."""
    return kind != "schema" or name in SCHEMAS


def migrate(connection: Connection) -> None:
    """One transaction a migration, so that a failed one leaves the earlier ones done."""
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        include_schemas=True,
        include_name=ours,
        compare_server_default=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


handed_in = context.config.attributes.get("connection")
if handed_in is not None:
    migrate(handed_in)
else:
    with engine_for(Settings().database_url).connect() as own:
        migrate(own)
