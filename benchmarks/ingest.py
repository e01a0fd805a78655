"""Events/s over HTTP: batches beside a bare producer, single events beside a bare route with the same ack."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Annotated

import typer
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.installed import environment, ingest_key, ready, running, until
from benchmarks.machine import does, postgres, print_figures, print_machine
from benchmarks.senders import native, request, send
from benchmarks.streams import Website, kafka, produce
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


def bare_app(bootstrap: str) -> Starlette:
    """A route that hands the body to Kafka and answers after the ack: the least that any ingest does.

    The keys differ, as people do: what goes to one partition alone is acknowledged with less work.
    """
    producer = Producer(KafkaConfig((bootstrap,), True, 12, 1, 6_000))  # noqa: FBT003 - as everywhere
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
    """Be the bare server."""
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
    """The process, once it is ready."""
    told = environment(
        config, server, port=str(port), ingest_rate="10000000", ingest_burst="10000000"
    )
    with running(process, told):
        until(lambda: ready(port), f"{process.name} is not ready")
        yield


def per_s(port: int, requests: Sequence[bytes], connections: int) -> float:
    """Requests/s with so many connections, each of which sends one after the other."""
    asyncio.run(send(port, requests[: 2 * connections], connections))
    return len(requests) / asyncio.run(send(port, requests, connections))


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
    with kafka() as config, postgres() as server:
        records = list(Website(20_000, utc_now()).events(events))
        key, port, bare_port = ingest_key(server), free_port(), free_port()
        produce(config, records[: events // 10])
        began_s = time.monotonic()
        produce(config, records)
        produced = events / (time.monotonic() - began_s)
        said = list(map(native, records))
        batches = [request(key, said[at : at + BATCH]) for at in range(0, events, BATCH)]
        singles = [request(key, it) for it in said[: events // 5]]
        with served(SCORING_API, config, server, port):
            many = BATCH * per_s(port, batches, BATCH_CONNECTIONS)
            one = per_s(port, singles, SINGLE_CONNECTIONS)
        route = _Bare((), "", "", arguments=("--bare", str(bare_port), config.bootstrap[0]))
        with served(route, config, server, bare_port):
            least = per_s(bare_port, singles, SINGLE_CONNECTIONS)
    figures = [
        does(f"batches of {BATCH}, events", many, floor=produced, ratio_at_least=RATIO),
        does(
            f"single events, {SINGLE_CONNECTIONS} connections",
            one,
            floor=least,
            ratio_at_least=RATIO,
        ),
    ]
    raise typer.Exit(
        print_figures("Ingest: over HTTP, beside a bare producer and a bare route", figures)
    )


if __name__ == "__main__":
    typer.run(main)
