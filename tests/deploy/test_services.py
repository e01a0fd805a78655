"""Every service of ours starts from its own line in docker-compose.yml, against a real Kafka and PostgreSQL."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest

from services.cli.processes import PROCESSES
from shared.embedded.postgres import PostgresServer, free_port
from tests.deploy.compose import Local, Ports, kafka_properties, local, made_secrets
from tests.deploy.roles import make_roles
from tests.journey.world import until
from tests.kafka.server import ApacheKafka

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

BIN = Path(sys.executable).parent
COMMANDS = {"leadbaton": str(BIN / "leadbaton"), "python": sys.executable}
IMAGE = {"PATH": f"{BIN}:/usr/bin:/bin", "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
"""What the Dockerfile sets; a container has nothing else of its host's environment."""


class ComposedKafka(ApacheKafka):
    """A broker with the settings that docker-compose.yml gives to the one in its container."""

    quorum: ClassVar[Sequence[str]] = ()

    def _properties(self) -> str:
        return kafka_properties(self.port, free_port(), self.directory / "log")


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """What deploy/secrets.sh makes."""
    return made_secrets(tmp_path)


@pytest.fixture
def servers(tmp_path: Path, secrets: Path) -> Iterator[tuple[int, int]]:
    """The ports of PostgreSQL, with the roles and the database of deploy/postgres/roles.sh, and of Kafka."""
    postgres = PostgresServer(tmp_path / "postgres", free_port(), ("-c fsync=off",))
    kafka = ComposedKafka(tmp_path / "kafka", free_port())
    postgres.start()
    kafka.start()
    make_roles(postgres, secrets)
    yield postgres.port, kafka.port
    kafka.stop()
    postgres.stop("immediate")


def test_every_service_starts_is_healthy_and_ends_in_time(
    servers: tuple[int, int], secrets: Path, tmp_path: Path
) -> None:
    rest = tmp_path / "working-directory"
    rest.mkdir()
    postgres, kafka = servers

    def run_locally(name: str) -> Local:
        return local(name, secrets, Ports(postgres, kafka, free_port()), COMMANDS)

    migrate = run_locally("migrate")
    done = subprocess.run(
        migrate.command, env={**IMAGE, **migrate.environment}, cwd=rest, check=False, timeout=120
    )
    assert done.returncode == 0

    with ExitStack() as running:
        services = {it.name: run_locally(it.name) for it in PROCESSES}
        started = {
            name: running.enter_context(process_of(it, rest)) for name, it in services.items()
        }
        for name, service in services.items():
            until(partial(healthy, service, rest), within_s=90, why=f"{name} healthy")
        for name, process in started.items():
            assert process.poll() is None, f"{name} ended by itself"
        late = {
            name: took_s
            for name, process in started.items()
            if (took_s := seconds_to_end(process)) > services[name].grace_s
        }
        assert late == {}
        assert {name: it.returncode for name, it in started.items() if it.returncode} == {}
    assert list(rest.iterdir()) == []  # a container's root is read-only


@contextmanager
def process_of(service: Local, rest: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The service's process; killed at the end if it is still there."""
    process = subprocess.Popen(
        service.command,
        env={**IMAGE, **service.environment},
        cwd=rest,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def healthy(service: Local, rest: Path) -> bool:
    """What the container's own health check says."""
    completed = subprocess.run(
        service.health, env=IMAGE, cwd=rest, stderr=subprocess.DEVNULL, check=False
    )
    return completed.returncode == 0


def seconds_to_end(process: subprocess.Popen[bytes]) -> float:
    """How long it takes to end after SIGTERM."""
    began_s = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    return time.monotonic() - began_s
