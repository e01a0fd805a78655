"""`leadbaton demo --once`, as CI and the curious run it: the whole installation, a small crowd, a second start."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.journey

ROOT = Path(__file__).parents[3]


def command(data: Path, *more: str) -> list[str]:
    start = [sys.executable, "-m", "services.cli", "demo", "--data", str(data), "--people", "40"]
    return [*start, "--free-ports", *more]


def outside() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("LEADBATON")}


def test_it_ends_with_a_history_and_true_figures_and_a_second_start_goes_on_until_ctrl_c(
    tmp_path: Path,
) -> None:
    data, file = tmp_path / "data", tmp_path / "figures.json"
    done = subprocess.run(
        command(data, "--once", "--json", str(file)),
        cwd=ROOT,
        env=outside(),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    check_figures(json.loads(file.read_text()))
    for title in ("What they did", "What it is worth", "Why ", "signed webhook", "The promise"):
        assert title in done.stdout
    assert done.stdout.count("curl -s ") == 4
    assert "What marketing is told of its campaigns" in done.stdout
    assert re.search(
        r"^\d{4}-\d\d-\d\d +(brand_search|revops_leaders|autumn_benchmark|kestrel_marketplace) +\d",
        done.stdout,
        re.MULTILINE,
    )
    check_report(done.stdout + done.stderr, data / "report.html")

    assert "Everything has stopped" in done.stdout
    assert "shown once" not in done.stderr

    before = json.loads((data / "demo.json").read_text())
    second_start(data)
    after = json.loads((data / "demo.json").read_text())

    assert after == before | {"runs": 2}


def check_figures(figures: dict[str, Any]) -> None:
    assert figures["events_kept"] == figures["events_sent"] > 200
    assert figures["events_accepted"] - figures["events_kept"] == figures["duplicates_dropped"] > 0
    assert figures["leads"] >= 15
    assert figures["qualified"] == sum(figures["assigned"].values()) + figures["waiting"] > 0
    assert figures["breaches"] >= 1
    assert figures["seconds_to_first_event"] <= 90
    assert figures["seconds_to_first_breach"] <= 60


def check_report(printed: str, file: Path) -> None:
    """One line says where the report is, which has the leads that qualified this week."""
    assert printed.count(str(file)) == 1
    report = file.read_text()
    assert report.startswith("<!doctype html>")
    assert report.count("<svg") >= 2
    assert "No lead qualified in this period." not in report


def second_start(data: Path) -> None:
    """It finds everything again; Ctrl-C ends it while people arrive."""
    again = subprocess.Popen(
        command(data), cwd=ROOT, env=outside(), stdout=subprocess.PIPE, text=True
    )
    assert again.stdout is not None
    lines = []
    for line in again.stdout:
        lines.append(line)
        if line.startswith("events "):
            again.send_signal(signal.SIGINT)
            break
    rest, _ = again.communicate(timeout=60)

    assert again.returncode == 0
    assert rest.rstrip().endswith(str(data / "report.html"))
    assert any("(0 migrations ran)" in line for line in lines)
