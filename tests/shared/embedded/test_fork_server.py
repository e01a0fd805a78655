"""Tests that a process of the fork server is like any other process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.embedded.fork_server import ForkedProcess, ForkServer
from shared.embedded.reaper import is_alive
from shared.embedded.supervisor import Program, StartFailed
from tests.journey.world import until

LIFE = """
import json, os, signal, subprocess, sys
subprocess.run(["true"], check=True)
own_session = os.getsid(0) == os.getpid()
print(json.dumps([sys.argv[1:], __name__, os.environ["TOLD"], "fork_server_knew" in sys.modules, own_session]))
print("and this", file=sys.stderr, flush=True)
signal.pause() if sys.argv[1] == "stays" else None
"""


@pytest.fixture
def fork_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ForkServer]:
    (tmp_path / "fork_server_knew.py").touch()
    (tmp_path / "life.py").write_text(LIFE)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    server = ForkServer(["fork_server_knew"])
    yield server
    server.close()


def life(*arguments: str) -> Program:
    return Program("it", (sys.executable, "-m", "life", *arguments), {"TOLD": "something"})


def born(fork_server: ForkServer, log: Path) -> ForkedProcess:
    child = fork_server.start(life("stays"), log)
    until(lambda: log.exists() and "and this" in log.read_text())
    return child


def test_a_process_has_the_arguments_the_environment_the_log_and_all_imports(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")

    fork_server.start(life("a", "b"), log).wait(10)

    output = 'before\n[["a", "b"], "__main__", "something", true, true]\nand this\n'
    assert log.read_text() == output


def test_it_ends_when_it_is_asked_to_and_is_waited_for_only_so_long(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    child = born(fork_server, tmp_path / "log")
    assert child.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.03)

    child.send_signal(signal.SIGTERM)
    assert child.wait() == 0
    child.kill()
    assert child.poll() == 0


def test_it_outlives_the_fork_server_and_the_next_is_started_by_another(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    first = born(fork_server, tmp_path / "first")
    mother = int(Path(f"/proc/{first.pid}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(mother, signal.SIGKILL)
    until(lambda: not is_alive(mother))

    second = born(fork_server, tmp_path / "second")

    assert is_alive(first.pid)
    for child in (first, second):
        child.kill()
        child.wait(10)


def test_what_cannot_be_imported_is_reported(tmp_path: Path) -> None:
    fork_server = ForkServer(["no.such.module"])

    with pytest.raises(StartFailed, match="it cannot be started"):
        fork_server.start(life("a"), tmp_path / "log")
    fork_server.close()
