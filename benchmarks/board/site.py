"""The console and the three APIs as processes, before a loaded database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

import httpx
from sqlalchemy import Engine

from benchmarks.board.load import Examples, load
from benchmarks.installed import environment, ready, running, until
from benchmarks.leads import KEY
from benchmarks.machine import postgres
from benchmarks.streams import kafka
from services.cli.processes import CONSOLE, ROUTING_API, SCORING_API, SLA_API
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.clock import utc_now
from shared.db.session import engine_for, sessions_on
from shared.embedded.postgres import PostgresServer, free_port
from shared.kafka.config import KafkaConfig


@dataclass(frozen=True, slots=True)
class Site:
    """The running console, and what stands behind it."""

    config: KafkaConfig
    server: PostgresServer
    engine: Engine
    examples: Examples
    port: int
    pid: int
    """The process of the console."""
    key: str
    """A key of scope ops."""

    @contextmanager
    def visit(self) -> Iterator[httpx.Client]:
        """A browser that has signed in; it takes pages compressed, and runs no scripts."""
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60) as client:
            signed_in = client.post("/sign-in", data={"key": self.key})
            if signed_in.status_code != 303:
                raise RuntimeError(signed_in.text)
            yield client


@contextmanager
def running_site(handoffs: int) -> Iterator[Site]:
    """Apache Kafka, a tuned PostgreSQL with so many handoffs, the APIs and the console, while the block runs."""
    with kafka() as config, postgres() as server, ExitStack() as processes:
        engine = engine_for(server.url(), pool_size=10)
        processes.callback(engine.dispose)
        examples = load(engine, handoffs)
        with sessions_on(engine).begin() as session:
            key = create_key(session, scope=KeyScope.OPS, subject="benchmark", now=utc_now())
        ports = {it: free_port() for it in (SCORING_API, ROUTING_API, SLA_API, CONSOLE)}
        urls = {
            f"{process.command[0]}_url": f"http://127.0.0.1:{port}"
            for process, port in ports.items()
            if process is not CONSOLE
        }
        pid = 0
        for process, port in ports.items():
            variables = environment(config, server, secret_key=KEY, port=str(port), **urls)
            pid = processes.enter_context(running(process, variables))
            until(partial(ready, port), f"{process.name} is not ready")
        yield Site(config, server, engine, examples, ports[CONSOLE], pid, key)
