"""`leadbaton up` as somebody at a terminal sees it: ready, gone on Ctrl-C, back with everything, never orphans."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from shared.embedded.postgres import free_port
from shared.embedded.reaper import is_alive
from tests.commands import leadbaton
from tests.conftest import ROOT
from tests.engine import PATIENCE_S
from tests.journey.world import until
from tests.processes import BARE_ENVIRONMENT

pytestmark = [pytest.mark.postgres, pytest.mark.journey]
NAMES = ("console", "scoring", "routing", "sla", "alignment")


@contextmanager
def up(data: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The running command and the URLs of its one line."""
    ports = [word for name in NAMES for word in (f"--{name}-port", str(free_port()))]
    process = subprocess.Popen(
        [sys.executable, "-m", "services.cli", "up", "--data", str(data), *ports, *more],
        env=BARE_ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout as output:
        line = next(line for line in output if line.startswith("Leadbaton is ready"))
        words = line.replace(":", "", 1).split()
        try:
            yield process, {name: words[words.index(name) + 1] for name in NAMES}
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)


def test_one_command_and_everything_is_there_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    agreement = ("--agreement", str(ROOT / "examples" / "agreement.yaml"))
    with up(tmp_path, *agreement, "--reps", str(ROOT / "examples" / "reps.yaml")) as (
        process,
        urls,
    ):
        assert {
            httpx.get(f"{url}/readyz", timeout=PATIENCE_S).status_code for url in urls.values()
        } == {200}
        doctor = leadbaton("--data", str(tmp_path), "doctor")
        assert doctor.returncode == 0, doctor.stdout
        migrate = leadbaton("--data", str(tmp_path), "migrate")
        assert migrate.returncode == 0, migrate.stderr
        assert "database: nothing to do" in migrate.stdout

    assert process.returncode == 0


@pytest.mark.fault
def test_a_second_start_keeps_agreement_and_reps(tmp_path: Path) -> None:
    agreement = ("--agreement", str(ROOT / "examples" / "agreement.yaml"))
    with up(tmp_path, *agreement):
        key = leadbaton(
            "--data", str(tmp_path), "keys", "create", "--scope", "ops", "--subject", "me"
        ).stdout.strip()

    with up(tmp_path) as (_, urls):
        response = httpx.get(
            f"{urls['sla']}/v1/sla/breaches", headers={"x-write-key": key}, timeout=PATIENCE_S
        )
        listed = leadbaton("--data", str(tmp_path), "agreement", "publish", agreement[1])

    assert response.status_code == 200
    assert "1" in listed.stdout + listed.stderr


def descendants(pid: int) -> list[int]:
    """Everybody whom this process has started, and whom they have."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    children = [int(it) for task in tasks for it in (task / "children").read_text().split()]
    return children + [it for child in children for it in descendants(child)]


@pytest.mark.fault
def test_killed_it_leaves_nobody_behind(tmp_path: Path) -> None:
    with up(tmp_path) as (process, _):
        children = descendants(process.pid)
        process.kill()
        process.wait()
        with (tmp_path / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # the reaper's, until everybody is gone

        assert len(children) > 9
        until(lambda: not any(is_alive(pid) for pid in children), why="everybody gone")
