"""Bytes on disk for events: of an installation of `leadbaton up`, beside the bytes that were posted."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Annotated

import orjson
import psycopg
import typer
from psycopg.rows import scalar_row

from benchmarks.installed import EXAMPLES, until
from benchmarks.machine import Figure, console, print_figures, print_machine
from benchmarks.senders import native, request, send
from benchmarks.streams import Website
from services.cli.installation import Installation, installation
from services.cli.processes import SCORING_API
from shared.clock import utc_now
from shared.embedded.stack import Stack

BATCH = 100
PEOPLE = 20_000
SCHEMAS = ("scoring", "routing", "sla", "alignment", "messaging")
Sizes = dict[str, int]


class Disk:
    """Reads the bytes of an installation: each schema with its indexes, the database, all WAL, the logs."""

    def __init__(self, system: Installation) -> None:
        self._data = system.stack.data
        self._database = psycopg.connect(
            system.environment["LEADBATON_DATABASE_URL"], autocommit=True, row_factory=scalar_row
        )

    def count(self, statement: str) -> int:
        """The number that the statement returns."""
        row = self._database.execute(statement.encode()).fetchone()
        return int(row or 0)

    def sizes(self) -> Sizes:
        """All sizes, after a vacuum and a checkpoint, which PostgreSQL would do by itself within minutes."""
        self._database.execute("vacuum analyze")
        self._database.execute("checkpoint")
        of_schema = (
            "select coalesce(sum(pg_total_relation_size(oid)), 0) from pg_class"
            " where relkind = 'r' and relnamespace = '{}'::regnamespace"
        )
        return {
            **{f"schema {it}": self.count(of_schema.format(it)) for it in SCHEMAS},
            "database": self.count("select pg_database_size(current_database())"),
            "WAL written": self.count("select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"),
            "logs": sum(it.stat().st_size for it in self._logs()),
        }

    def _logs(self) -> list[Path]:
        server = self._data / "postgres" / "data" / "server.log"
        return [*self._data.glob("logs/*"), *self._data.glob("broker/*.log*"), server]


def measured(system: Installation, events: int) -> list[Figure]:
    """Post events, wait until all are scored and announced, and return what each part has grown by."""
    key = system.command("keys", "create", "--scope", "ingest", "--subject", "website").strip()
    website = Website(PEOPLE, utc_now())
    disk = Disk(system)
    posted = post(system, website, key, 1_000)
    settle(disk, 1_000)
    before = disk.sizes()
    posted = post(system, website, key, events)
    settle(disk, 1_000 + events)
    after = disk.sizes()
    leads = disk.count("select count(*) from scoring.leads")
    handoffs = disk.count("select count(*) from routing.handoffs")
    console.print(f"[dim]{leads:,} leads, {handoffs:,} handoffs[/]")
    floor = _per_thousand(posted, events)
    return [
        Figure(
            f"{name}, for 1,000 events", _per_thousand(after[name] - before[name], events), floor
        )
        for name in before
    ]


def post(system: Installation, website: Website, key: str, events: int) -> int:
    """Post the website's next events; returns the bytes of their JSON."""
    bodies = [native(it) for it in website.events(events)]
    requests = [request(key, bodies[at : at + BATCH]) for at in range(0, events, BATCH)]
    asyncio.run(send(system.ports[SCORING_API.name], requests, 2))
    return sum(len(orjson.dumps(it)) for it in bodies)


def settle(disk: Disk, events: int) -> None:
    """Wait until all events are scored and the outbox is empty."""
    until(
        lambda: (
            disk.count("select count(*) from scoring.events") >= events
            and disk.count("select count(*) from messaging.outbox") == 0
        ),
        "events are not scored",
        within_s=600,
    )


def _per_thousand(size: int, events: int) -> str:
    return f"{size / events * 1_000 / 1e6:.3f} MB"


def main(events: Annotated[int, typer.Option(help="How many of a website.")] = 20_000) -> None:
    """Measure and print; the floor is the JSON of the events."""
    print_machine()
    os.environ |= {"LEADBATON_INGEST_RATE": "1000000", "LEADBATON_INGEST_BURST": "1000000"}
    with (
        tempfile.TemporaryDirectory(prefix="leadbaton-bench-") as directory,
        installation(Stack(Path(directory) / "data"), {}) as system,
    ):
        system.command("agreement", "publish", str(EXAMPLES / "agreement.yaml"))
        system.command("reps", "import", str(EXAMPLES / "reps.yaml"))
        system.start(timeout_s=180)
        with system.keep_running():
            figures = measured(system, events)
    raise typer.Exit(print_figures("Disk: what events cost", figures))


if __name__ == "__main__":
    typer.run(main)
