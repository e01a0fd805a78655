"""The product's own processes beside a benchmark's servers."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import urlopen

from benchmarks.machine import DATABASE
from services.cli.processes import Process
from shared.agreement.store import publish
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.clock import utc_now
from shared.db.session import engine_for, sessions_on
from shared.embedded.postgres import PostgresServer
from shared.kafka.config import KafkaConfig

EXAMPLES = Path(__file__).parents[1] / "examples"


def environment(config: KafkaConfig, server: PostgresServer, **more: str) -> dict[str, str]:
    """The environment of a process of this installation; names in `more` are without the prefix."""
    settings = {
        "database_url": server.url(DATABASE),
        "kafka_bootstrap": ",".join(config.bootstrap),
        "kafka_session_timeout_ms": str(config.session_timeout_ms),
        "log_level": "WARNING",
        **more,
    }
    return {
        **os.environ,
        **{f"LEADBATON_{name.upper()}": value for name, value in settings.items()},
    }


@contextmanager
def running(process: Process, environment: Mapping[str, str]) -> Iterator[int]:
    """The process, while the block runs; yields its pid."""
    started = subprocess.Popen(process.argv, stdin=subprocess.DEVNULL, env=dict(environment))
    with ExitStack() as ending:
        ending.callback(started.wait, 30)
        ending.callback(started.terminate)
        yield started.pid


def ready(port: int) -> bool:
    """Whether the process that listens on the port is ready."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def until(condition: Callable[[], bool], name: str, *, within_s: float = 60.0) -> None:
    """Check the condition again and again; raises TimeoutError with its name if it is not met in time."""
    end, pause = time.monotonic() + within_s, threading.Event()
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(name)
        pause.wait(0.02)


def ingest_key(server: PostgresServer) -> str:
    """A new key of the scope ingest."""
    engine = engine_for(server.url(DATABASE))
    with sessions_on(engine).begin() as session:
        key = create_key(session, scope=KeyScope.INGEST, subject="website", now=utc_now())
    engine.dispose()
    return key


def publish_example(server: PostgresServer, *, accept_within: str = "10s") -> None:
    """Publish the example's agreement, with this target for accepting."""
    source = (EXAMPLES / "agreement.yaml").read_text()
    source = source.replace("target: 10s", f"target: {accept_within}")
    engine = engine_for(server.url(DATABASE))
    with sessions_on(engine).begin() as session:
        publish(session, source, by="benchmark", now=utc_now())
    engine.dispose()
