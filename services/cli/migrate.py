"""`leadbaton migrate`: the database and the topics, as this version needs them."""

from __future__ import annotations

import typer

from shared.db.migrate import upgrade
from shared.db.session import engine_for
from shared.kafka import admin, config
from shared.process.settings import Settings


def migrate() -> None:
    """Bring the database to the newest migration and create the topics that are missing.

    Prints what it did. Running it again, or twice at once, does nothing more.
    """
    settings = Settings()
    engine = engine_for(settings.database_url)
    _report("database", upgrade(engine), nothing="is up to date")
    engine.dispose()
    _report("topics", admin.create_topics(config.of(settings)), nothing="are all there")


def _report(subject: str, lines: list[str], *, nothing: str) -> None:
    for line in lines:
        typer.echo(f"{subject}: {line}")
    if not lines:
        typer.echo(f"{subject}: nothing to do, {nothing}")
