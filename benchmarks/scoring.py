"""Events/s of the scoring worker beside a floor: consume, decode, copy, upsert, commit, and nothing else."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import orjson
import psycopg
import typer
from kafka import TopicPartition

from benchmarks.installed import environment, publish_example, running
from benchmarks.machine import DATABASE, Figure, does, postgres, print_figures, print_machine
from benchmarks.people import populate
from benchmarks.reading import Reading, per_s
from benchmarks.streams import Website, ends, kafka, produce
from services.cli.processes import SCORING_WORKER
from shared.clock import utc_now
from shared.contracts.topics import MARKETING_EVENTS, SCORING
from shared.db.session import engine_for, sessions_on
from shared.embedded.postgres import PostgresServer
from shared.kafka.config import KafkaConfig

RATIO = 0.6
SPREAD = 1.15
"""For the same visitors the ratios with a thousand and with a million leads may differ by 15 %."""
VISITORS = 1_000
"""The people of the stream with which the sizes are compared: all leads of the smallest database."""
GROWTH_BYTES = 48 * 1024**2
ROUNDS = 5

FLOOR_TABLES = """
    drop schema if exists floor cascade;
    create schema floor;
    create table floor.events (like scoring.events including all);
    create table floor.leads (email text primary key, events bigint, points float8, last_at timestamptz);
    insert into floor.leads select substr(key, 7), 0, 0, now() from scoring.identities where key like 'email/%';
    analyze floor.leads;
"""
ADD_EVENTS = """
    insert into floor.events select * from staged on conflict do nothing;
    truncate staged;
"""
SAVE_LEADS = """
    insert into floor.leads as held
    select * from unnest(%s::text[], %s::bigint[], %s::float8[], %s::timestamptz[])
    on conflict (email) do update set
        events = held.events + excluded.events, points = held.points + excluded.points,
        last_at = greatest(held.last_at, excluded.last_at)
"""
NO_LEAD = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Pace:
    """Events/s, and bytes of memory after a third of the events and at the end."""

    per_s: float
    before_bytes: int = 0
    after_bytes: int = 0


def floor(config: KafkaConfig, url: str, begin: Mapping[TopicPartition, int], count: int) -> Pace:
    """The pace of the floor."""
    with psycopg.connect(url) as database:
        database.execute(FLOOR_TABLES)
        database.execute("create temporary table staged (like floor.events)")
        database.commit()
        return Pace(per_s(config, begin, count, partial(_floor_batch, database)))


def _floor_batch(database: psycopg.Connection[Any], records: list[Any]) -> None:
    sums: dict[str, list[Any]] = {}
    with database.cursor() as cursor:
        with cursor.copy("copy staged (source, id, lead_id, type, time, payload) from stdin") as to:
            for record in records:
                event = orjson.loads(record.value)
                to.write_row(
                    (
                        event["source"],
                        event["id"],
                        NO_LEAD,
                        event["type"],
                        event["time"],
                        record.value.decode(),
                    )
                )
                known = sums.setdefault(event["identity"]["email"], [0, 0.0, event["time"]])
                known[0] += 1
                known[1] += 1.0
                known[2] = max(known[2], event["time"])
        cursor.execute(ADD_EVENTS)
        cursor.execute(
            SAVE_LEADS, [list(sums), *([it[index] for it in sums.values()] for index in range(3))]
        )
    database.commit()


def worker(config: KafkaConfig, server: PostgresServer, count: int) -> Pace:
    """The pace of the scoring worker, from its first commit to its last."""
    variables, url = environment(config, server), server.url(DATABASE)
    with (
        psycopg.connect(url, autocommit=True) as database,
        running(SCORING_WORKER, variables) as pid,
    ):
        scored = Reading(database, SCORING, MARKETING_EVENTS.name)
        start = scored.done()
        first = scored.reached(start + 1)
        began_s = time.monotonic()
        scored.reached(start + count // 3)
        before = resident_bytes(pid)
        last = scored.reached(start + count)
        took_s = time.monotonic() - began_s
        return Pace((last - first) / took_s, before, resident_bytes(pid))


def resident_bytes(pid: int) -> int:
    """The resident memory of the process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def populated(server: PostgresServer, people: int) -> None:
    """Replace all leads by `people` invented ones."""
    engine = engine_for(server.url(DATABASE))
    populate(sessions_on(engine), people)
    engine.dispose()


def measured(
    config: KafkaConfig, server: PostgresServer, website: Website, count: int
) -> tuple[Pace, Pace]:
    """Floor and worker, each round on the same records; the best of each.

    Whatever else the machine does can only slow a round.
    """
    lowest, ours = [], []
    for _ in range(ROUNDS):
        begin = ends(config, MARKETING_EVENTS.name)
        produce(config, website.events(count))
        lowest.append(floor(config, server.url(DATABASE), begin, count))
        ours.append(worker(config, server, count))
    return max(lowest, key=_per_s), max(ours, key=_per_s)


def _per_s(pace: Pace) -> float:
    return pace.per_s


def figures(name: str, lowest: Pace, ours: Pace) -> Iterator[Figure]:
    """The lines of one stream."""
    yield does(name, ours.per_s, unit=" events/s", floor=lowest.per_s, ratio_at_least=RATIO)
    grown = ours.after_bytes - ours.before_bytes
    yield Figure(
        f"{name}: memory of the worker",
        f"{ours.after_bytes >> 20} MiB",
        f"{ours.before_bytes >> 20} MiB at a third",
        expected=f"grows ≤ {GROWTH_BYTES >> 20} MiB",
        held=grown <= GROWTH_BYTES,
    )


def spread(ratios: Sequence[float]) -> Figure:
    """The ratio of the largest to the smallest ratio among the sizes."""
    factor = max(ratios) / min(ratios)
    held = factor <= SPREAD
    name = f"the sizes differ, for the same {VISITORS:,} visitors, by"
    return Figure(name, f"x {factor:.2f}", expected=f"≤ x {SPREAD}", held=held)


SIZES = (1_000, 100_000, 1_000_000)


def main(
    people: Annotated[list[int] | None, typer.Option(help="How many people are known.")] = None,
    events: Annotated[int, typer.Option(help="How many events a round.")] = 80_000,
) -> None:
    """Measure, print, and exit with 1 if a line is not held."""
    print_machine()
    lines: list[Figure] = []
    ratios = []
    with kafka() as config, postgres() as server:
        publish_example(server)
        for size in people or SIZES:
            populated(server, size)
            lowest, ours = measured(config, server, Website(size, utc_now(), VISITORS), events)
            lines += figures(f"{VISITORS:,} of {size:,} leads", lowest, ours)
            ratios.append(ours.per_s / lowest.per_s)
            if size > VISITORS:
                anybody = measured(config, server, Website(size, utc_now()), events)
                lines += figures(f"anybody of {size:,} leads", *anybody)
    if len(ratios) > 1:
        lines.append(spread(ratios))
    raise typer.Exit(print_figures("Scoring: the worker beside its floor", lines))


if __name__ == "__main__":
    typer.run(main)
