"""Events/s over HTTP: batches beside a bare producer, single events beside a bare route with the same ack."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated
from urllib.request import urlopen

import orjson
import typer
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.installed import environment, running
from benchmarks.machine import DATABASE, does, postgres, print_figures, print_machine
from benchmarks.streams import Website, kafka, produce
from services.cli.processes import SCORING_API, Process
from shared.clock import utc_now
from shared.contracts.topic import Outgoing
from shared.contracts.topics import MARKETING_EVENTS
from shared.db.session import engine_for, sessions_on
from shared.embedded.postgres import PostgresServer, free_port
from shared.http.keys import KeyScope, create_key
from shared.kafka.config import KafkaConfig
from shared.kafka.producer import Producer

RATIO = 0.5
BATCH = 100
BATCH_CONNECTIONS = 4
SINGLE_CONNECTIONS = 32
PATIENCE_S = 30.0


def bare_app(bootstrap: str) -> Starlette:
    """A route that hands the body to Kafka and answers after the ack: the least that any ingest does."""
    producer = Producer(KafkaConfig((bootstrap,), True, 12, 1, 6_000))  # noqa: FBT003 - as everywhere

    async def take(request: Request) -> Response:
        body = await request.body()
        await producer.publish([Outgoing(MARKETING_EVENTS.name, b"key", body, ())])
        return Response(b'{"ok":true}', media_type="application/json")

    def ready(_: Request) -> Response:
        return Response(status_code=200 if producer.ready() else 503)

    return Starlette(routes=[Route("/v1/events", take, methods=["POST"]), Route("/readyz", ready)])


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
    told = environment(config, server, port=str(port), ingest_rate="10000000")
    with running(process, told):
        end = time.monotonic() + PATIENCE_S
        while not _ready(port):
            if time.monotonic() > end:
                raise TimeoutError(f"{process.name} is not ready")
        yield


def _ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        time.sleep(0.1)
        return False


def per_s(port: int, key: str, bodies: Sequence[bytes], connections: int) -> float:
    """Requests/s with so many connections, each of which sends one after the other; a client that does little."""
    requests = [
        b"POST /v1/events HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
        b"authorization: Bearer %s\r\ncontent-length: %d\r\n\r\n%s"
        % (key.encode(), len(body), body)
        for body in bodies
    ]

    async def all_of_it() -> float:
        await asyncio.gather(*(_send(port, requests[:2]) for _ in range(connections)))
        began_s = time.monotonic()
        await asyncio.gather(*(_send(port, requests[at::connections]) for at in range(connections)))
        return len(requests) / (time.monotonic() - began_s)

    return asyncio.run(all_of_it())


async def _send(port: int, requests: Sequence[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        body = await reader.readexactly(int(length))
        if b" 200 " not in head[:20] or b'"status":"re' in body:
            raise RuntimeError(f"{head!r} {body[:300]!r}")
    writer.close()


def native(record: Outgoing) -> dict[str, object]:
    """The record's event as a sender would post it."""
    said = orjson.loads(record.value)
    lead = said["identity"]
    told = {name: said[name] for name in ("id", "type", "time", "traits", "properties", "context")}
    return {**told, "lead": lead}


def ingest_key(server: PostgresServer) -> str:
    """A key that may post."""
    engine = engine_for(server.url(DATABASE))
    with sessions_on(engine).begin() as session:
        key = create_key(session, scope=KeyScope.INGEST, subject="website", now=utc_now())
    engine.dispose()
    return key


def main(
    events: Annotated[
        int, typer.Option(help="How many are sent in batches; a tenth one by one.")
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
        batches = [orjson.dumps(said[at : at + BATCH]) for at in range(0, events, BATCH)]
        singles = list(map(orjson.dumps, said[: events // 10]))
        with served(SCORING_API, config, server, port):
            many = BATCH * per_s(port, key, batches, BATCH_CONNECTIONS)
            one = per_s(port, key, singles, SINGLE_CONNECTIONS)
        route = _Bare((), "", "", arguments=("--bare", str(bare_port), config.bootstrap[0]))
        with served(route, config, server, bare_port):
            least = per_s(bare_port, key, singles, SINGLE_CONNECTIONS)
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
