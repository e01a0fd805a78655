"""Webhooks/s of the delivery worker beside a bare httpx client, what bad endpoints do to others, and its memory."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import httpx
import psycopg
import typer
from pydantic import SecretStr

from benchmarks.installed import environment, publish_example, running
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
from benchmarks.receivers import NO_KAFKA, Oddity, receive, receiving
from services.cli.processes import ROUTING_DELIVERY
from services.routing.handlers import Assigner, on_leads_qualified
from shared.auth.vault import Vault
from shared.clock import utc_now
from shared.contracts.topic import Record
from shared.contracts.topics import LEADS_QUALIFIED
from shared.db.session import engine_for, sessions_on
from shared.embedded.postgres import PostgresServer

RATIO = 0.5
MAX_IN_FLIGHT = 64
"""Requests in flight at once, of the worker and of the bare client."""
ENDPOINTS = 50
PACE_PER_S = 40
BATCH = 4
PACED_S = 15.0
SLOWER = 1.2
"""By how much the 99th percentile may grow while an endpoint is dead, or answers without an end."""
SEED = 1_000
"""How many assignments a backlog is copied from."""
SLOWEST_PER_S = 50
"""A backlog that is delivered more slowly than this is given up."""
GROWTH = 1.1
"""By how much the memory may grow while a backlog is delivered, from its first tenth on."""
COPY_DELIVERIES = """
    insert into routing.deliveries (id, endpoint, handoff_id, hop, type, body, state, next_attempt_at)
    select gen_random_uuid(), endpoint, gen_random_uuid(), hop, type, body, 'pending', now()
    from routing.deliveries, generate_series(1, %s)
"""
LATENCIES = """
    select percentile_cont(array[0.5, 0.99]) within group (order by extract(epoch from
        attempt.at + attempt.took_ms * interval '1 millisecond' - delivery.created_at))
    from routing.deliveries as delivery join routing.attempts as attempt on attempt.delivery_id = delivery.id
    where delivery.state = 'delivered' and delivery.endpoint <> 'rep/rep_0000'
"""


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
    vault = Vault(SecretStr(KEY))
    with psycopg.connect(server.url(DATABASE)) as database:
        rows = database.execute(
            "select url, body from routing.deliveries join routing.endpoints e on e.id = endpoint"
        )
        return [(vault.decrypt(url).decode(), body) for url, body in rows]


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
def delivering(server: PostgresServer) -> Iterator[int]:
    """The delivery process, while the block runs; yields its pid."""
    variables = environment(NO_KAFKA, server, secret_key=KEY, allow_networks="127.0.0.0/8")
    with running(ROUTING_DELIVERY, variables) as pid:
        yield pid


def _delivered(
    database: psycopg.Connection[tuple[int]], expected: int, *, within_s: float = 100
) -> int:
    query, pause = (
        b"select count(*) from routing.deliveries where state = 'delivered'",
        threading.Event(),
    )
    end = time.monotonic() + within_s
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


def slowest_s(server: PostgresServer, oddity: Oddity) -> tuple[float, float]:
    """The median and 99th percentile of the time from assignment to the answer of live endpoints, at a steady pace."""
    with receiving(server, oddity) as port:
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
    """The latencies of the others while one endpoint of ten is dead, or answers without an end.

    All are alive before and after it; the slower of these two runs is the floor.
    """
    before = slowest_s(server, Oddity.NONE)[1]
    odd = {it: slowest_s(server, it) for it in (Oddity.DEAD, Oddity.ENDLESS)}
    usual = max(before, slowest_s(server, Oddity.NONE)[1])
    for oddity, (median, slow) in odd.items():
        yield Figure(f"one of ten endpoints {oddity}: the others' median", time_of(median))
        yield Figure(
            f"one of ten endpoints {oddity}: the others' p99",
            time_of(slow),
            f"{time_of(usual)} with all alive",
            usual / slow,
            f"≤ x {SLOWER}",
            slow <= SLOWER * usual,
        )


def memory(server: PostgresServer, count: int) -> Figure:
    """The growth of the worker's memory while it delivers a backlog, from its first tenth to its end."""
    with receiving(server) as port:
        add_reps(server, ENDPOINTS, territories=6, url=f"http://127.0.0.1:{port}/reps/{{}}")
        LeadAssigner(server).assign(SEED)
        with psycopg.connect(server.url(DATABASE), autocommit=True) as database:
            database.execute(COPY_DELIVERIES, [count // SEED])
            database.execute("vacuum analyze routing.deliveries")
            with delivering(server) as pid:
                parts = []
                for tenth in range(1, 11):
                    _delivered(database, count * tenth // 10, within_s=count / SLOWEST_PER_S)
                    parts.append(_resident_mb(pid))
    return Figure(
        f"memory while {count:,} pending webhooks are delivered",
        f"{max(parts):.0f} MB at most",
        f"{parts[0]:.0f} MB after a tenth",
        parts[0] / max(parts),
        f"≤ x {GROWTH}",
        max(parts) <= GROWTH * parts[0],
    )


def _resident_mb(pid: int) -> float:
    """The resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1024**2


def main(
    webhooks: Annotated[int, typer.Option(help="How many are sent for the speed.")] = 6_000,
    backlog: Annotated[int, typer.Option(help="How many wait while memory is watched.")] = 100_000,
    receiver: Annotated[tuple[int, str] | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure, print, and exit with 1 if a line is not held."""
    if receiver is not None:
        asyncio.run(receive(receiver[0], Oddity(receiver[1])))
        return
    print_machine()
    with postgres() as server:
        publish_example(server, accept_within="8h")
        figures = [speed(server, webhooks)]
        console.print(f"[dim]{figures[0].measured}, floor {figures[0].floor}[/]")
        figures += liveness(server)
        figures.append(memory(server, backlog))
    raise typer.Exit(print_figures("Delivery: the worker beside a bare httpx client", figures))


if __name__ == "__main__":
    typer.run(main)
