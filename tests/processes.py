"""Processes that tests start, each for as long as a block lasts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from shared.embedded.postgres import free_port
from tests.engine import PATIENCE_S, until
from tests.loopback import NO_TLS

BARE_ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name.startswith("COVERAGE")
} | {"PATH": "/usr/bin:/bin"}
"""Only PATH, and the variables of coverage when it is measured."""


@contextmanager
def running_process(service: str, name: str, **environment: str) -> Iterator[str]:
    """The URL of one of a service's processes, once it is ready; it must end with 0 when the block ends."""
    port = str(free_port())
    settings = {**environment, "PORT": port, "PROBE_PORT": port}
    code = f"from {service} import main; from shared.process.settings import Settings; main.{name}(Settings())"
    running = subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {f"LEADBATON_{key}": value for key, value in settings.items()},
        stdout=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: running.poll() is not None or _ready(url))
        yield url
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0
    finally:
        running.kill()
        running.wait()


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=PATIENCE_S, verify=NO_TLS).status_code == 200
    except httpx.TransportError:
        return False
