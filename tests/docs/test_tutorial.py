"""The tutorial's commands, run as they stand there, against a real installation."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared.embedded.postgres import free_port

pytestmark = pytest.mark.journey

ROOT = Path(__file__).parents[2]
PORTS = {"scoring": "8001", "routing": "8002", "sla": "8003"}
DATA = ".leadbaton/tutorial"


def blocks() -> list[str]:
    text = (ROOT / "docs" / "tutorial.md").read_text()
    return re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@contextmanager
def first_terminal(data: Path, ports: dict[str, str]) -> Iterator[None]:
    """What `make up` runs, on ports of our own."""
    chosen = [part for name, port in ports.items() for part in (f"--{name}-port", port)]
    up = subprocess.Popen(
        [sys.executable, "-m", "services.cli", "up", "--data", str(data), *chosen],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert up.stdout is not None
        assert "Leadbaton is ready" in up.stdout.readline()
        yield
    finally:
        up.terminate()
        up.communicate(timeout=30)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the tutorial uses curl")
def test_the_tutorial_leads_from_the_first_event_to_the_breach_and_to_the_win(
    tmp_path: Path,
) -> None:
    data, ports = tmp_path / "data", {name: str(free_port()) for name in PORTS}
    start, *others = blocks()
    assert start == f'# terminal 1\nmake up ARGS="--data {DATA}"\n'

    script = "\n".join(others).replace(DATA, str(data))
    script = script.replace("$PWD/.venv/bin", str(Path(sys.executable).parent))
    for name, port in PORTS.items():
        script = script.replace(f":{port}/", f":{ports[name]}/")
    with first_terminal(data, ports):
        done = subprocess.run(
            ["bash", "-eu", "-c", script],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "fitt" in done.stderr
    assert '"form-1"' in done.stdout
    assert '"agreement_version": 1' in done.stdout
    assert '"policy": "inbound_accept"' in done.stdout
    assert '"attainment":' in done.stdout
