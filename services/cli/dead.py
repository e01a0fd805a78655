"""`leadbaton dead`: lists dead letters, and puts them back on their topics."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from services.cli.database import transaction
from shared.clock import utc_now
from shared.messaging import dead_letters
from shared.messaging.dead_letters import ListedDeadLetter
from shared.process.settings import Settings
from shared.terminal import Terminal

app = typer.Typer(no_args_is_help=True, help="Records that could not be processed: list, replay.")

Topic = Annotated[str | None, typer.Option(help="Only those of this topic.")]


@app.command("list")
def list_(
    topic: Topic = None,
    code: Annotated[str | None, typer.Option(help="Only those with this code.")] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=100_000, help="At most so many, newest first.")
    ] = 100,
) -> None:
    """List the dead letters, each with the time and the reason."""
    with transaction(Settings().database_url) as session:
        rows = dead_letters.latest(session, topic=topic, code=code, limit=limit)
    Terminal().print(_table(rows) if rows else "There are no dead letters.")


@app.command()
def replay(
    ids: Annotated[
        list[int] | None,
        typer.Argument(
            min=1, max=2**63 - 1, help="The dead letters to put back, by id.", metavar="[ID]..."
        ),
    ] = None,
    topic: Topic = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="All that were not yet put back.")
    ] = False,
) -> None:
    """Put records back on their topics unchanged, once the cause is mended; each only once."""
    if sum(map(bool, (ids, topic, everything))) != 1:
        raise typer.BadParameter("give ids, or --topic, or --all")
    with transaction(Settings().database_url) as session:
        replayed_ids = dead_letters.replay(session, now=utc_now(), ids=ids or None, topic=topic)
    typer.echo(f"put back: {', '.join(map(str, replayed_ids)) if replayed_ids else 'nothing'}")


def _table(rows: list[ListedDeadLetter]) -> Table:
    table = Table(
        "id", "failed at", "group", "topic / partition / offset", "code", "reason", "put back"
    )
    for letter in rows:
        table.add_row(
            str(letter.id),
            f"{letter.failed_at:%Y-%m-%d %H:%M:%S}",
            letter.group,
            f"{letter.topic} / {letter.partition} / {letter.offset}",
            letter.code,
            letter.reason,
            f"{letter.replayed_at:%Y-%m-%d %H:%M:%S}" if letter.replayed_at else "",
        )
    return table
