"""Events/s over HTTP: batches beside a bare producer, single events beside a bare route with the same ack."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Annotated

import typer
import uvicorn
from kafka import KafkaProducer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.installed import environment, ingest_key, ready, running, until
from benchmarks.machine import Figure, does, postgres, print_figures, print_machine
from benchmarks.senders import native, request, send
from benchmarks.streams import Website, bare_producer, kafka
from services.cli.processes import SCORING_API, Process
from shared.clock import utc_now
from shared.contracts.topic import Outgoing
from shared.contracts.topics import MARKETING_EVENTS
from shared.embedded.postgres import PostgresServer, free_port
from shared.kafka.config import KafkaConfig
from shared.kafka.producer import Producer

RATIO = 0.5
BATCH = 100
BATCH_CONNECTIONS = 4
SINGLE_CONNECTIONS = 32
TURNS = 6


def bare_app(bootstrap: str) -> Starlette:
    """A route that only publishes the body to Kafka and answers after the acknowledgement.

    Its keys differ, as those of real events do: acknowledging records of one partition would be less work.
    """
    producer = Producer(
        KafkaConfig(
            (bootstrap,), keeps_log=True, partitions=12, replication=1, session_timeout_ms=6_000
        )
    )
    numbers = count()

    async def take(request: Request) -> Response:
        body = await request.body()
        key = b"person%d" % next(numbers)
        await producer.publish([Outgoing(MARKETING_EVENTS.name, key, body, ())])
        return Response(b'{"ok":true}', media_type="application/json")

    def readyz(_: Request) -> Response:
        return Response(status_code=200 if producer.ready() else 503)

    return Starlette(routes=[Route("/v1/events", take, methods=["POST"]), Route("/readyz", readyz)])


def serve_bare(port: int, bootstrap: str) -> None:
    """Run the bare server in this process."""
    uvicorn.run(
        bare_app(bootstrap),
        port=port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )


@dataclass(frozen=True)
class _Bare(Process):
    arguments: tuple[str, ...] = ()

    @property
    def argv(self) -> tuple[str, ...]:
        return (sys.executable, "-m", "benchmarks.ingest", *self.arguments)


@contextmanager
def served(
    process: Process, config: KafkaConfig, server: PostgresServer, port: int
) -> Iterator[None]:
    """The process, ready, while the block runs."""
    variables = environment(
        config, server, port=str(port), ingest_rate="10000000", ingest_burst="10000000"
    )
    with running(process, variables):
        until(lambda: ready(port), f"{process.name} is not ready")
        yield


@dataclass(frozen=True)
class Comparison:
    """Requests that are sent to the product and to the floors in turns, so that other load hits both alike."""

    ours: int
    bare: int
    batches: Sequence[bytes]
    singles: Sequence[bytes]
    records: Sequence[Outgoing]
    producer: KafkaProducer

    def took_s(self) -> list[float]:
        """Seconds for batches, the producer, single events, the bare route; without the first turn, which warms up."""
        turns = [self._turn(at) for at in range(TURNS)]
        return [sum(it) for it in zip(*turns[1:], strict=True)]

    def _turn(self, at: int) -> tuple[float, float, float, float]:
        singles = self.singles[at::TURNS]
        return (
            asyncio.run(send(self.ours, self.batches[at::TURNS], BATCH_CONNECTIONS)),
            self._produced_s(self.records[at::TURNS]),
            asyncio.run(send(self.ours, singles, SINGLE_CONNECTIONS)),
            asyncio.run(send(self.bare, singles, SINGLE_CONNECTIONS)),
        )

    def _produced_s(self, records: Sequence[Outgoing]) -> float:
        began_s = time.monotonic()
        for record in records:
            self.producer.send(
                record.topic, key=record.key, value=record.value, headers=list(record.headers)
            )
        self.producer.flush()
        return time.monotonic() - began_s


def figures(events: int, took_s: Sequence[float]) -> list[Figure]:
    """The figures of the turns after the first."""
    batches_s, producer_s, singles_s, bare_s = took_s
    many = events * (TURNS - 1) / TURNS
    single = many / 5
    return [
        does(
            f"batches of {BATCH}, events",
            many / batches_s,
            floor=many / producer_s,
            ratio_at_least=RATIO,
        ),
        does(
            f"single events, {SINGLE_CONNECTIONS} connections",
            single / singles_s,
            floor=single / bare_s,
            ratio_at_least=RATIO,
        ),
    ]


def main(
    events: Annotated[
        int, typer.Option(help="How many are sent in batches; a fifth one by one.")
    ] = 50_000,
    bare: Annotated[tuple[int, str] | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure, print, and exit with 1 if a line is not held."""
    if bare is not None:
        serve_bare(*bare)
        return
    print_machine()
    with kafka() as config, postgres() as server, ExitStack() as stack:
        records = list(Website(20_000, utc_now()).events(events))
        bodies, key = list(map(native, records)), ingest_key(server)
        contest = Comparison(
            free_port(),
            free_port(),
            [request(key, bodies[at : at + BATCH]) for at in range(0, events, BATCH)],
            [request(key, it) for it in bodies[: events // 5]],
            records,
            bare_producer(config),
        )
        route = _Bare((), "", "", arguments=("--bare", str(contest.bare), config.bootstrap[0]))
        stack.enter_context(served(SCORING_API, config, server, contest.ours))
        stack.enter_context(served(route, config, server, contest.bare))
        took_s = contest.took_s()
        contest.producer.close()
    raise typer.Exit(
        print_figures(
            "Ingest: over HTTP, beside a bare producer and a bare route", figures(events, took_s)
        )
    )


if __name__ == "__main__":
    typer.run(main)
