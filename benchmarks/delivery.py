"""Webhooks/s of the delivery worker beside a bare httpx client, and what one dead endpoint does to the others."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import httpx
import psycopg
import typer

from benchmarks.installed import environment, publish_example, running, until
from benchmarks.leads import KEY, add_reps, qualified
from benchmarks.machine import (
    DATABASE,
    Figure,
    console,
    does,
    postgres,
    print_figures,
    print_machine,
    time_of,
)
from services.cli.processes import ROUTING_DELIVERY, Process
from services.routing.handlers import Assigner, on_leads_qualified
from shared.clock import utc_now
from shared.contracts.topic import Record
from shared.contracts.topics import LEADS_QUALIFIED
from shared.db.session import engine_for, sessions_on
from shared.embedded.postgres import PostgresServer, free_port
from shared.kafka.config import KafkaConfig

RATIO = 0.5
MAX_IN_FLIGHT = 64
"""Requests in flight at once, of the worker and of the bare client."""
ENDPOINTS = 50
DEAD = "/reps/0"
PACE_PER_S = 40
BATCH = 4
PACED_S = 15.0
SLOWER = 1.5
"""By how much the 99th percentile may grow while an endpoint is dead."""
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
NO_KAFKA = KafkaConfig(
    ("127.0.0.1:9",), keeps_log=True, partitions=1, replication=1, session_timeout_ms=6_000
)
LATENCIES = """
    select percentile_cont(array[0.5, 0.99]) within group (order by extract(epoch from
        attempt.at + attempt.took_ms * interval '1 millisecond' - delivery.created_at))
    from routing.deliveries as delivery join routing.attempts as attempt on attempt.delivery_id = delivery.id
    where delivery.state = 'delivered' and delivery.endpoint <> 'rep/rep_0000'
"""


async def receive(port: int, *, dead: bool) -> None:
    """Answer every webhook at once; with `dead`, never those to one endpoint."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
                await reader.readexactly(int(length))
                if not (dead and head.startswith(f"POST {DEAD} ".encode())):
                    writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", port)
    await server.serve_forever()


@dataclass(frozen=True)
class _Receiver(Process):
    arguments: tuple[str, ...] = ()

    @property
    def argv(self) -> tuple[str, ...]:
        return (sys.executable, "-m", "benchmarks.delivery", *self.arguments)


@contextmanager
def receiving(server: PostgresServer, *, dead: bool = False) -> Iterator[int]:
    """A receiver in a process of its own; yields its port."""
    port = free_port()
    process = _Receiver(
        (), "", "", arguments=("--receiver", str(port), "dead" if dead else "alive")
    )
    with running(process, environment(NO_KAFKA, server)):
        until(lambda: _open(port), "the receiver does not listen")
        yield port


def _open(port: int) -> bool:
    try:
        asyncio.run(_connect(port))
    except OSError:
        return False
    return True


async def _connect(port: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()


class LeadAssigner:
    """Assigns leads to reps as the routing worker does, so that each assignment has a webhook to be delivered."""

    def __init__(self, server: PostgresServer) -> None:
        self._sessions = sessions_on(engine_for(server.url(DATABASE), pool_size=1))
        self._assigner = Assigner("http://127.0.0.1:8002")
        self._batches = 0

    def assign(self, count: int) -> None:
        """Assign `count` more leads."""
        self._batches += 1
        now = utc_now()
        messages = [
            LEADS_QUALIFIED.decode(Record(it.topic, 0, 0, it.key, it.value, it.headers))
            for it in qualified(count, seed=self._batches, now=now)
        ]
        with self._sessions.begin() as session:
            on_leads_qualified(session, messages, now, assigner=self._assigner)


def bodies(server: PostgresServer) -> list[tuple[str, bytes]]:
    """The URL and the body of each pending webhook."""
    with psycopg.connect(server.url(DATABASE)) as database:
        return database.execute(
            "select url, body from routing.deliveries join routing.endpoints e on e.id = endpoint"
        ).fetchall()


async def bare(webhooks: Sequence[tuple[str, bytes]]) -> float:
    """Requests/s of a client that only posts."""
    left = iter(webhooks)

    async def hand(client: httpx.AsyncClient) -> None:
        for url, body in left:
            await client.post(url, content=body, headers={"content-type": "application/json"})

    async with httpx.AsyncClient(
        limits=httpx.Limits(max_connections=MAX_IN_FLIGHT, max_keepalive_connections=MAX_IN_FLIGHT)
    ) as client:
        began_s = time.monotonic()
        await asyncio.gather(*(hand(client) for _ in range(MAX_IN_FLIGHT)))
        return len(webhooks) / (time.monotonic() - began_s)


def worker(server: PostgresServer, count: int) -> float:
    """Webhooks/s of the delivery process, from the first that is recorded to the last."""
    with psycopg.connect(server.url(DATABASE), autocommit=True) as database, delivering(server):
        first = _delivered(database, 1)
        began_s = time.monotonic()
        return (_delivered(database, count) - first) / (time.monotonic() - began_s)


@contextmanager
def delivering(server: PostgresServer) -> Iterator[None]:
    """The delivery process, while the block runs."""
    variables = environment(NO_KAFKA, server, secret_key=KEY, allow_networks="127.0.0.0/8")
    with running(ROUTING_DELIVERY, variables):
        yield


def _delivered(database: psycopg.Connection[tuple[int]], expected: int) -> int:
    query, pause = (
        b"select count(*) from routing.deliveries where state = 'delivered'",
        threading.Event(),
    )
    end = time.monotonic() + 100
    while (done := (database.execute(query).fetchone() or (0,))[0]) < expected:
        if time.monotonic() > end:
            raise TimeoutError(f"{done} of {expected} webhooks were delivered")
        pause.wait(0.02)
    return done


def speed(server: PostgresServer, count: int) -> Figure:
    """The worker's speed beside the bare client's, on the same bodies."""
    with receiving(server) as port:
        add_reps(server, ENDPOINTS, territories=6, url=f"http://127.0.0.1:{port}/reps/{{}}")
        LeadAssigner(server).assign(count)
        bare_per_s = asyncio.run(bare(bodies(server)))
        ours = worker(server, count)
    return does("webhooks", ours, floor=bare_per_s, ratio_at_least=RATIO)


def slowest_s(server: PostgresServer, *, dead: bool) -> tuple[float, float]:
    """The median and 99th percentile of the time from assignment to the answer of live endpoints, at a steady pace."""
    with receiving(server, dead=dead) as port:
        add_reps(server, 10, territories=6, url=f"http://127.0.0.1:{port}/reps/{{}}")
        policy = LeadAssigner(server)
        with (
            psycopg.connect(server.url(DATABASE), autocommit=True) as database,
            delivering(server),
        ):
            policy.assign(20)
            _delivered(database, 18)
            database.execute("delete from routing.attempts")
            pause, batches = threading.Event(), int(PACED_S * PACE_PER_S) // BATCH
            for _ in range(batches):
                policy.assign(BATCH)
                pause.wait(BATCH / PACE_PER_S)
            _delivered(database, int(0.9 * BATCH * batches))
            pause.wait(1)
            row = database.execute(LATENCIES).fetchone()
    median, slow = row[0] if row else (0.0, 0.0)
    return median, slow


def liveness(server: PostgresServer) -> Iterator[Figure]:
    """The latencies of the others while one endpoint of ten is dead."""
    _, usual = slowest_s(server, dead=False)
    median, slow = slowest_s(server, dead=True)
    yield Figure("one of ten endpoints dead: the others' median", time_of(median))
    yield Figure(
        "one of ten endpoints dead: the others' p99",
        time_of(slow),
        f"{time_of(usual)} with all alive",
        usual / slow,
        f"≤ x {SLOWER}",
        slow <= SLOWER * usual,
    )


def main(
    webhooks: Annotated[int, typer.Option(help="How many are sent for the speed.")] = 6_000,
    receiver: Annotated[tuple[int, str] | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure, print, and exit with 1 if a line is not held."""
    if receiver is not None:
        asyncio.run(receive(receiver[0], dead=receiver[1] == "dead"))
        return
    print_machine()
    with postgres() as server:
        publish_example(server)
        figures = [speed(server, webhooks)]
        console.print(f"[dim]{figures[0].measured}, floor {figures[0].floor}[/]")
        figures += liveness(server)
    raise typer.Exit(print_figures("Delivery: the worker beside a bare httpx client", figures))


if __name__ == "__main__":
    typer.run(main)
