"""`leadbaton doctor` names the processes of `leadbaton up` that end again and again."""

from __future__ import annotations

import stat
import sys
import threading
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from services.cli.restarts import restarts
from shared.clock import utc_now
from shared.embedded.exits import MAX_EXITS, exits_in
from shared.embedded.supervisor import Program, Supervisor
from shared.process.findings import fine
from tests.builders import NOON
from tests.engine import until

WELL = fine("processes", "none ended by itself in the last 10 minutes")


def test_a_process_that_ends_again_and_again_is_named_with_the_log(tmp_path: Path) -> None:
    endings = exits_in(tmp_path)
    crashing = Program("scoring-worker", (sys.executable, "-c", "raise SystemExit(1)"), {})
    supervisor = Supervisor(
        [crashing], tmp_path / "logs", on_exit=lambda name: endings.add(name, utc_now())
    )
    supervisor.start()

    def ended_thrice() -> bool:
        supervisor.maintain()
        return len(endings.all().get("scoring-worker", ())) >= 3

    until(ended_thrice)
    supervisor.stop()

    finding = restarts(tmp_path, utc_now())
    assert (finding.check, finding.ok) == ("processes", False)
    log = tmp_path / "logs" / "scoring-worker.log"
    assert finding.detail == f"scoring-worker ended 3 times in the last 10 minutes; its log: {log}"
    assert stat.S_IMODE(endings.file.stat().st_mode) == 0o600


def test_what_is_stopped_did_not_end_by_itself(tmp_path: Path) -> None:
    ended = threading.Event()
    waiting = Program("relay", (sys.executable, "-c", "import signal; signal.pause()"), {})
    supervisor = Supervisor([waiting], tmp_path / "logs", on_exit=lambda _: ended.set())
    supervisor.start()
    supervisor.stop()

    assert not ended.is_set()


def test_a_single_end_is_shown_and_no_fault_and_an_old_one_is_forgotten(tmp_path: Path) -> None:
    exits_in(tmp_path).add("relay", NOON)

    finding = restarts(tmp_path, NOON + timedelta(minutes=9))
    assert finding.ok is None
    assert finding.detail.startswith("relay ended 1 time in the last 10 minutes; its log: ")
    assert restarts(tmp_path, NOON + timedelta(minutes=11)) == WELL


def test_the_file_is_bounded(tmp_path: Path) -> None:
    endings = exits_in(tmp_path)
    for minute in range(MAX_EXITS + 5):
        endings.add("relay", NOON + timedelta(minutes=minute))

    kept = endings.all()["relay"]
    assert len(kept) == MAX_EXITS
    assert kept[-1] == NOON + timedelta(minutes=MAX_EXITS + 4)


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[]", b'{"relay": 1}', b'{"relay": ["now"]}'], ids=repr
)
def test_a_file_that_is_none_of_ours_is_read_as_empty(tmp_path: Path, content: bytes) -> None:
    exits_in(tmp_path).file.write_bytes(content)

    assert restarts(tmp_path, NOON) == WELL


def test_what_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    endings = exits_in(tmp_path / "nowhere")
    endings.add("relay", NOON)

    assert endings.all() == {}
    assert not endings.file.exists()


def test_what_is_kept_is_plain(tmp_path: Path) -> None:
    exits_in(tmp_path).add("relay", NOON)

    kept = orjson.loads((tmp_path / "processes.json").read_bytes())
    assert kept == {"relay": [NOON.isoformat()]}
