"""Events/s and latency from the post to the webhook, beside two hops over Kafka and three commits."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import quantiles
from typing import Annotated, Any, LiteralString

import psycopg
import typer
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from benchmarks.installed import environment, ingest_key, publish_example, ready, running, until
from benchmarks.leads import KEY
from benchmarks.machine import (
    DATABASE,
    Figure,
    console,
    does,
    postgres,
    print_figures,
    print_machine,
    takes,
)
from benchmarks.reading import Reading
from benchmarks.senders import line, native, request, send
from benchmarks.streams import Website, bare_producer, kafka
from benchmarks.webhooks import Webhooks, add_example_reps, received
from services.cli.processes import PROCESSES, SCORING_API
from shared.clock import utc_now
from shared.contracts.topics import TOPICS
from shared.embedded.postgres import PostgresServer, free_port
from shared.kafka.config import KafkaConfig

BATCH = 100
CONNECTIONS = 4
PEOPLE = 20_000
ACCEPT_WITHIN = "30m"
"""The example has 10 s, at which reps who never answer would get webhooks again and again."""

LEFT: LiteralString = (
    "select (select count(*) from messaging.outbox where published_at is null)"
    " + (select count(*) from routing.deliveries where state = 'pending')"
)


@dataclass(frozen=True)
class Installation:
    """The running servers and processes, and their addresses."""

    config: KafkaConfig
    server: PostgresServer
    ingest: int
    webhooks: int
    key: str


@contextmanager
def installation() -> Iterator[Installation]:
    """Every process of the product on Apache Kafka and a tuned PostgreSQL, while the block runs."""
    with kafka() as config, postgres() as server, ExitStack() as processes:
        system = Installation(config, server, free_port(), free_port(), ingest_key(server))
        publish_example(server, accept_within=ACCEPT_WITHIN)
        add_example_reps(server, system.webhooks)
        for process in PROCESSES:
            port = system.ingest if process is SCORING_API else free_port()
            variables = environment(
                config,
                server,
                secret_key=KEY,
                allow_networks="127.0.0.0/8",
                port=str(port),
                probe_port=str(port),
                worker_name=f"{process.name}-0",
                ingest_rate="1000000",
                ingest_burst="1000000",
            )
            processes.enter_context(running(process, variables))
            until(partial(ready, port), f"{process.name} is not ready")
        yield system


class Hops:
    """The floor of the latency: two hops over Kafka and three commits, one after the other."""

    TOPICS = ("bench.first", "bench.second")

    def __init__(self, system: Installation) -> None:
        admin = KafkaAdminClient(bootstrap_servers=list(system.config.bootstrap))
        admin.create_topics(
            {it: {"num_partitions": 1, "replication_factor": 1} for it in self.TOPICS}
        )
        admin.close()
        self._producer = bare_producer(system.config)
        self._readers = {it: _reader(system.config, it) for it in self.TOPICS}
        self._database = psycopg.connect(system.server.url(DATABASE))
        self._database.execute("create table public.bench (id int)")
        self._database.commit()

    def once(self) -> float:
        """Do the hops and commits once; returns the seconds that they took."""
        began_s = time.monotonic()
        for topic, reader in self._readers.items():
            self._producer.send(topic, key=b"key", value=b"x" * 450)
            while not reader.poll(timeout_ms=1_000):
                pass
            self._commit()
        self._commit()
        return time.monotonic() - began_s

    def _commit(self) -> None:
        self._database.execute("insert into public.bench values (1)")
        self._database.commit()


def _reader(config: KafkaConfig, topic: str) -> KafkaConsumer:
    reader = KafkaConsumer(bootstrap_servers=list(config.bootstrap), enable_auto_commit=False)
    reader.assign([TopicPartition(topic, 0)])
    reader.seek_to_beginning()
    return reader


class Progress:
    """How far the accepted events have come."""

    def __init__(self, system: Installation) -> None:
        self._database = psycopg.connect(system.server.url(DATABASE), autocommit=True)
        self._kafka = KafkaConsumer(bootstrap_servers=list(system.config.bootstrap))
        self._partitions = system.config.partitions

    async def done(self) -> None:
        """Return when no event is on its way any more."""
        await asyncio.to_thread(until, self._is_done, "something is still on its way")

    def _is_done(self) -> bool:
        left = self._database.execute(LEFT).fetchone()
        return left == (0,) and all(
            Reading(self._database, group, topic.name).done() >= self._end(topic.name)
            for topic in TOPICS
            for group in topic.readers
        )

    def _end(self, topic: str) -> int:
        partitions = [TopicPartition(topic, it) for it in range(self._partitions)]
        return sum(self._kafka.end_offsets(partitions).values())


@dataclass
class Measurement:
    """The measurements, one after the other."""

    system: Installation
    webhooks: Webhooks
    progress: Progress
    hops: Hops
    website: Website
    people: Iterator[int]

    async def stream_per_s(self, events: int) -> float:
        """Events/s of a website from the first post until no event is on its way any more."""
        requests = self._requests(events)
        began_s = time.monotonic()
        await send(self.system.ingest, requests, CONNECTIONS)
        await self.progress.done()
        return events / (time.monotonic() - began_s)

    async def leads_per_s(self, leads: int) -> float:
        """Events/s of people who all request a demo: each becomes a lead, a handoff and a webhook."""
        raised = [self._hand_raise() for _ in range(leads)]
        requests = [
            request(self.system.key, [event for _, event in raised[at : at + BATCH]])
            for at in range(0, leads, BATCH)
        ]
        began_s = time.monotonic()
        await send(self.system.ingest, requests, CONNECTIONS)
        last_s = max([await self.webhooks.of(email) for email, _ in raised])
        await self.progress.done()
        return leads / (last_s - began_s)

    async def latencies(self, count: int, every_s: float, *, alone: bool) -> list[float]:
        """Seconds from post to webhook, `count` times, one after the other, at irregular intervals."""
        posted: dict[str, float] = {}
        async with line(self.system.ingest) as to:
            for _ in range(count):
                email, event = self._hand_raise()
                posted[email] = time.monotonic()
                await to.post(request(self.system.key, event))
                if alone:
                    await self.webhooks.of(email)
                await asyncio.sleep(every_s * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        return [await self.webhooks.of(email) - at for email, at in posted.items()]

    async def floors(self, count: int, every_s: float) -> list[float]:
        """Seconds of the floor, at the same pace."""
        took = []
        for _ in range(count):
            took.append(await asyncio.to_thread(self.hops.once))
            await asyncio.sleep(every_s)
        return took

    async def load(self, events: int, per_s: float) -> None:
        """Post the website's stream at this pace, while the block runs."""
        began_s = time.monotonic()
        async with line(self.system.ingest) as to:
            for number, each in enumerate(self._requests(events)):
                await to.post(each)
                ahead_s = (number + 1) * BATCH / per_s - (time.monotonic() - began_s)
                await asyncio.sleep(max(ahead_s, 0))

    def _requests(self, events: int) -> list[bytes]:
        bodies = list(map(native, self.website.events(events)))
        return [request(self.system.key, bodies[at : at + BATCH]) for at in range(0, events, BATCH)]

    def _hand_raise(self) -> tuple[str, dict[str, Any]]:
        number = next(self.people)
        email = f"ada@asking-{number}.com"
        event = {
            "id": f"asked-{number}",
            "type": "demo_requested",
            "time": utc_now().isoformat(),
            "lead": {"email": email},
            "traits": {"country": "DE", "first_name": "Ada", "job_title": "Data Analyst"},
        }
        return email, event


async def measured(system: Installation, events: int, leads: int, probes: int) -> list[Figure]:
    """All lines of the table."""
    async with received(system.webhooks) as webhooks:
        website = Website(PEOPLE, utc_now())
        measurement = Measurement(
            system, webhooks, Progress(system), Hops(system), website, itertools.count()
        )
        await measurement.leads_per_s(BATCH)
        await measurement.floors(10, 0)
        console.print("[dim]all processes are warm[/]")
        idle = await measurement.latencies(probes, 0.02, alone=True)
        idle_floor = await measurement.floors(probes, 0.02)
        leads_per_s = await measurement.leads_per_s(leads)
        events_per_s = await measurement.stream_per_s(events)
        console.print(f"[dim]{events_per_s:,.0f} events/s, {leads_per_s:,.0f} leads/s[/]")
        half = asyncio.create_task(measurement.load(events // 2, events_per_s / 2))
        every_s = events / events_per_s / probes
        loaded, loaded_floor = await asyncio.gather(
            measurement.latencies(probes, every_s, alone=False),
            measurement.floors(probes // 4, 4 * every_s),
        )
        await half
        await measurement.progress.done()
    return [
        does("a website's events, all the way", events_per_s, unit=" events/s"),
        does("people who ask for a demo, all the way", leads_per_s, unit=" leads/s"),
        *_percentiles("post to webhook, idle", idle, idle_floor),
        *_percentiles("post to webhook, half of the events/s", loaded, loaded_floor),
    ]


def _percentiles(name: str, measured: Sequence[float], floor: Sequence[float]) -> list[Figure]:
    ours, least = (quantiles(it, n=100, method="inclusive") for it in (measured, floor))
    return [takes(f"{name}, p{at}", ours[at - 1], floor_s=least[at - 1]) for at in (50, 95, 99)]


def main(
    events: Annotated[int, typer.Option(help="How many of a website.")] = 60_000,
    leads: Annotated[int, typer.Option(help="How many people ask for a demo at once.")] = 1_000,
    probes: Annotated[int, typer.Option(help="Of how many the latency is measured.")] = 200,
) -> None:
    """Measure and print; a floor is two hops over Kafka and three commits, alone on the same servers."""
    print_machine()
    with installation() as system:
        figures = asyncio.run(measured(system, events, leads, probes))
    raise typer.Exit(print_figures("Pipeline: all services, from the post to the webhook", figures))


if __name__ == "__main__":
    typer.run(main)
