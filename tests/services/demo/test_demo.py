"""`leadbaton demo --once`, as CI and the curious run it: the whole installation, a small crowd, a second start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.journey

ROOT = Path(__file__).parents[3]


def run(data: Path, figures: Path) -> tuple[str, dict[str, Any]]:
    command = [sys.executable, "-m", "services.cli", "demo", "--once", "--json", str(figures)]
    done = subprocess.run(
        [*command, "--data", str(data), "--people", "40"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("LEADBATON")},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, json.loads(figures.read_text())


def test_the_demonstration_ends_with_its_story_and_true_figures_and_goes_on_at_the_next_start(
    tmp_path: Path,
) -> None:
    story, first = run(tmp_path / "data", tmp_path / "first.json")

    assert first["events_kept"] == first["events_sent"] > 200
    assert first["events_accepted"] - first["events_kept"] == first["duplicates_dropped"] > 0
    assert first["leads"] >= 15
    assert first["qualified"] == sum(first["assigned"].values()) + first["waiting"] > 0
    assert first["delivered"] >= first["qualified"] - first["waiting"]
    assert first["breaches"] >= 1
    assert first["seconds_to_first_event"] <= 90
    assert first["seconds_to_first_breach"] <= 60
    for chapter in ("What they did", "What it is worth", "Why ", "signed webhook", "The promise"):
        assert chapter in story
    assert story.count("curl -s ") == 3

    _, second = run(tmp_path / "data", tmp_path / "second.json")

    assert second["events_kept"] == second["events_sent"] > 200
    assert second["events_sent"] != first["events_sent"]
