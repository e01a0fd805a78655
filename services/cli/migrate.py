"""`leadbaton migrate`: the database and the topics, as this version needs them."""

from __future__ import annotations

import typer

from shared.db.migrate import upgrade
from shared.db.session import engine_for
from shared.kafka import admin, config
from shared.process.settings import Settings


def migrate() -> None:
    """Bring the database to the newest migration and create the topics that are missing.

    Says what it did. Running it again, or twice at once, does nothing more.
    """
    settings = Settings()
    engine = engine_for(settings.database_url)
    _tell("database", upgrade(engine), nothing="is up to date")
    engine.dispose()
    _tell("topics", admin.create_topics(config.of(settings)), nothing="are all there")


def _tell(what: str, done: list[str], *, nothing: str) -> None:
    for line in done:
        typer.echo(f"{what}: {line}")
    if not done:
        typer.echo(f"{what}: nothing to do, {nothing}")
