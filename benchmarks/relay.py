"""How fast the relay drains a full outbox, beside a bare producer of the same records; both in order per key."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Annotated

import psycopg
import typer
from kafka import KafkaConsumer, TopicPartition

from benchmarks.installed import environment, running
from benchmarks.machine import (
    DATABASE,
    Figure,
    counts,
    does,
    postgres,
    print_figures,
    print_machine,
)
from benchmarks.streams import Website, ends, kafka, produce
from services.cli.processes import RELAY
from shared.clock import utc_now
from shared.contracts.topic import Outgoing
from shared.contracts.topics import MARKETING_EVENTS
from shared.db.session import engine_for, sessions_on
from shared.embedded.postgres import PostgresServer
from shared.kafka.config import KafkaConfig
from shared.messaging import outbox

RATIO = 0.5
PATIENCE_S = 300.0


def fill(server: PostgresServer, records: Sequence[Outgoing]) -> None:
    """Put the records into the outbox."""
    engine = engine_for(server.url(DATABASE))
    with sessions_on(engine).begin() as session:
        outbox.append(session, records)
    engine.dispose()


def drain_s(config: KafkaConfig, server: PostgresServer) -> float:
    """Seconds for all rows, extrapolated from the time between the first published rows and the last."""
    query = "select count(*) filter (where published_at is null), count(*) from messaging.outbox"
    pause, end = threading.Event(), time.monotonic() + PATIENCE_S
    with psycopg.connect(server.url(DATABASE), autocommit=True) as database:
        total = left = _first_row(database, query)[1]
        began_s, began_with = 0.0, 0
        with running(RELAY, environment(config, server)):
            while left:
                if time.monotonic() > end:
                    raise TimeoutError(f"{left} rows were not published")
                pause.wait(0.05)
                left = _first_row(database, query)[0]
                if not began_s and left < total:
                    began_s, began_with = time.monotonic(), left
            return (time.monotonic() - began_s) * total / max(began_with, 1)


def _first_row(database: psycopg.Connection[tuple[int, ...]], query: str) -> tuple[int, ...]:
    return database.execute(query.encode()).fetchone() or (0, 0)


def out_of_order(config: KafkaConfig, begin: dict[TopicPartition, int], count: int) -> int:
    """How many records are out of order within their key, or there twice."""
    reader = KafkaConsumer(bootstrap_servers=list(config.bootstrap), max_poll_records=5_000)
    reader.assign(list(begin))
    for partition, offset in begin.items():
        reader.seek(partition, offset)
    last: dict[bytes, int] = {}
    wrong = read = 0
    while read < count:
        for records in reader.poll(timeout_ms=1_000).values():
            for record in records:
                number = int(dict(record.headers)["ce_id"].rpartition(b"-")[2])
                wrong += number <= last.get(record.key, 0)
                last[record.key] = number
                read += 1
    reader.close()
    return wrong


def main(rows: Annotated[int, typer.Option(help="How many wait.")] = 100_000) -> None:
    """Measure, print, and exit with 1 if a line is not held."""
    print_machine()
    with kafka() as config, postgres() as server:
        records = list(Website(20_000, utc_now()).events(rows))
        produce(config, records[: rows // 10])
        began_s = time.monotonic()
        produce(config, records)
        bare_s = time.monotonic() - began_s
        begin = ends(config, MARKETING_EVENTS.name)
        fill(server, records)
        ours_s = drain_s(config, server)
        wrong = out_of_order(config, begin, rows)
    name = f"relay, {rows:,} rows"
    figures: list[Figure] = [
        does(name, rows / ours_s, floor=rows / bare_s, ratio_at_least=RATIO),
        counts("records out of order, or twice", wrong, expected=0),
    ]
    raise typer.Exit(print_figures("Relay: the outbox beside a bare producer", figures))


if __name__ == "__main__":
    typer.run(main)
