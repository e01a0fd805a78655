"""Assignments/s of the routing worker beside a floor, with few reps and many; and whether four routers share fairly."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import Annotated, Any

import orjson
import psycopg
import typer
from kafka import TopicPartition

from benchmarks.installed import environment, publish_example, running
from benchmarks.leads import add_old_handoffs, add_reps, qualified
from benchmarks.machine import (
    DATABASE,
    Figure,
    console,
    counts,
    does,
    postgres,
    print_figures,
    print_machine,
)
from benchmarks.reading import Reading, per_s
from benchmarks.streams import ends, kafka, produce
from services.cli.processes import ROUTING_WORKER
from shared.clock import utc_now
from shared.contracts.topics import LEADS_QUALIFIED, ROUTING
from shared.embedded.postgres import PostgresServer
from shared.kafka.config import KafkaConfig

RATIO = 0.5
SPREAD = 1
ROUTERS = 4
FAIR_REPS = 10

FLOOR_TABLES = """
    drop schema if exists floor cascade;
    create schema floor;
    create table floor.teams (like routing.teams including all);
    create table floor.handoffs (like routing.handoffs including all);
    create table floor.deliveries (like routing.deliveries including all);
    create table floor.outbox (like messaging.outbox including all);
    insert into floor.teams values ('inbound');
"""
HANDOFFS = """copy floor.handoffs (
    id, lead_id, qualification, state, team, rule, rep, hop, sequence, tier, tier_rank, qualified_at, assigned_at,
    agreement_version, lead
) from stdin"""
DELIVERIES = """copy floor.deliveries (
    id, endpoint, handoff_id, hop, type, body, state, next_attempt_at
) from stdin"""
OUTBOX = "copy floor.outbox (topic, key, value, headers) from stdin"


def floor(config: KafkaConfig, url: str, begin: Mapping[TopicPartition, int], count: int) -> float:
    """Records/s of the floor: read, decode, lock, copy handoffs, deliveries and outbox, commit."""
    with psycopg.connect(url) as database:
        database.execute(FLOOR_TABLES)
        database.commit()
        return per_s(config, begin, count, partial(_floor_batch, database))


def _floor_batch(database: psycopg.Connection[Any], records: list[Any]) -> None:
    leads = [orjson.loads(record.value) for record in records]
    now = utc_now()
    with database.cursor() as cursor:
        cursor.execute("select from floor.teams where id = 'inbound' for update")
        with cursor.copy(HANDOFFS) as to:
            for lead, record in zip(leads, records, strict=True):
                id_ = lead["lead_id"]
                to.write_row(
                    (id_, id_, 1, "assigned", "inbound", "any", "rep_0001", 1, 1, lead["tier"], 1, lead["at"], now,
                     1, record.value.decode())
                )  # fmt: skip
        with cursor.copy(DELIVERIES) as to:
            for lead, record in zip(leads, records, strict=True):
                id_ = lead["lead_id"]
                to.write_row((id_, "rep/rep_0001", id_, 1, "any", record.value, "pending", now))
        with cursor.copy(OUTBOX) as to:
            for record in records:
                to.write_row(("handoffs.changed", record.key, record.value[:600], "[]"))
    database.commit()


def routers(config: KafkaConfig, server: PostgresServer, count: int, *, processes: int) -> float:
    """Records/s of routing workers, from the first commit to the last."""
    variables, url = environment(config, server), server.url(DATABASE)
    with ExitStack() as all_, psycopg.connect(url, autocommit=True) as database:
        reading = Reading(database, ROUTING, LEADS_QUALIFIED.name)
        start = reading.done()
        for _ in range(processes):
            all_.enter_context(running(ROUTING_WORKER, variables))
        first = reading.reached(start + 1)
        began_s = time.monotonic()
        last = reading.reached(start + count)
        return (last - first) / (time.monotonic() - began_s)


def shares(server: PostgresServer) -> list[int]:
    """How many leads each rep has."""
    with psycopg.connect(server.url(DATABASE)) as database:
        rows = database.execute(
            "select count(h.id) from routing.reps r left join routing.handoffs h on h.rep = r.id group by r.id"
        ).fetchall()
    return [int(it) for (it,) in rows]


class Installation:
    """The servers, and the leads that are published to them."""

    def __init__(self, config: KafkaConfig, server: PostgresServer) -> None:
        self._config, self._server, self._portions = config, server, 0

    def speed(self, name: str, count: int) -> Figure:
        """The speed of one router beside the floor, on the same records."""
        begin = self._arrive(count)
        lowest = floor(self._config, self._server.url(DATABASE), begin, count)
        ours = routers(self._config, self._server, count, processes=1)
        console.print(f"[dim]{name}: {ours:,.0f}/s, floor {lowest:,.0f}/s[/]")
        return does(name, ours, unit=" leads/s", floor=lowest, ratio_at_least=RATIO)

    def fairness(self, count: int) -> list[Figure]:
        """The shares of the reps after four routers at once."""
        self._arrive(count)
        rate = routers(self._config, self._server, count, processes=ROUTERS)
        had = shares(self._server)
        spread = max(had) - min(had)
        return [
            does(f"{ROUTERS} routers, {len(had)} equal reps", rate, unit=" leads/s"),
            counts("given out by them", sum(had), expected=count),
            Figure(
                "most and least given differ by",
                str(spread),
                expected=f"≤ {SPREAD}",
                held=spread <= SPREAD,
            ),
        ]

    def _arrive(self, count: int) -> dict[TopicPartition, int]:
        self._portions += 1
        begin = ends(self._config, LEADS_QUALIFIED.name)
        produce(self._config, qualified(count, seed=self._portions, now=utc_now()))
        return begin


def main(
    leads: Annotated[int, typer.Option(help="How many are given out in each line.")] = 20_000,
    past: Annotated[int, typer.Option(help="Handoffs of old in the last line.")] = 300_000,
) -> None:
    """Measure, print, and exit with 1 if a line is not held."""
    print_machine()
    figures = []
    with kafka() as config, postgres() as server:
        publish_example(server)
        installation = Installation(config, server)
        for reps, territories in ((10, 6), (1_000, 2)):
            add_reps(server, reps, territories=territories)
            figures.append(installation.speed(f"{reps:,} reps", leads))
        add_reps(server, FAIR_REPS, territories=6)
        figures += installation.fairness(leads)
        if past:
            add_old_handoffs(server, past)
            figures.append(installation.speed(f"10 reps, {past:,} handoffs of old", leads))
    raise typer.Exit(print_figures("Routing: the worker beside its floor", figures))


if __name__ == "__main__":
    typer.run(main)
