"""The product's own processes beside a benchmark's servers."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.machine import DATABASE
from services.cli.processes import Process
from shared.agreement.versions import publish
from shared.clock import utc_now
from shared.db.session import engine_for, sessions_on
from shared.embedded.postgres import PostgresServer
from shared.kafka.config import KafkaConfig

EXAMPLES = Path(__file__).parents[1] / "examples"


def environment(config: KafkaConfig, server: PostgresServer, **more: str) -> dict[str, str]:
    """What a process of this installation is told; `more` without the prefix."""
    told = {
        "database_url": server.url(DATABASE),
        "kafka_bootstrap": ",".join(config.bootstrap),
        "kafka_session_timeout_ms": str(config.session_timeout_ms),
        "log_level": "WARNING",
        **more,
    }
    return {**os.environ, **{f"LEADBATON_{name.upper()}": value for name, value in told.items()}}


@contextmanager
def running(process: Process, told: Mapping[str, str]) -> Iterator[int]:
    """The process; gives its pid."""
    started = subprocess.Popen(process.argv, stdin=subprocess.DEVNULL, env=dict(told))
    with ExitStack() as ending:
        ending.callback(started.wait, 30)
        ending.callback(started.terminate)
        yield started.pid


def agree(server: PostgresServer) -> None:
    """Publish the example's agreement."""
    engine = engine_for(server.url(DATABASE))
    with sessions_on(engine).begin() as session:
        source = (EXAMPLES / "agreement.yaml").read_text()
        publish(session, source, by="benchmark", now=utc_now())
    engine.dispose()
