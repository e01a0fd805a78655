"""Tests of log files: bounded size, readable by their owner only, without a lost line."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.embedded.fork_server import ForkedProcess, ForkServer
from shared.embedded.log_files import FILES, MAX_BYTES, older_log, open_log, shrink_log
from shared.embedded.stack import Stack
from shared.embedded.supervisor import Program, start
from tests.engine import until

CHATTY = """
import signal, sys, time
lines = int(sys.argv[1])
for number in range(lines):
    print(f"{number:08}" + "x" * 91, flush=True)
    if number % 100 == 0:
        sys.stderr.write(f"{number // 100:06} error\\n")
    if number % 50 == 0:
        time.sleep(0.001)  # leaves the interpreter to the thread that looks after the log
print("the last line", flush=True)
if sys.argv[2:]:
    signal.pause()
"""
LINE_BYTES = 100
LIMIT = 200_000


@pytest.fixture
def fork_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ForkServer]:
    (tmp_path / "chatty.py").write_text(CHATTY)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    server = ForkServer([], LIMIT)
    yield server
    server.close()


def chatty(lines: int, *arguments: str) -> Program:
    return Program("chatty", (sys.executable, "-m", "chatty", str(lines), *arguments), {})


def files(log: Path) -> list[Path]:
    """The files of the log, the oldest first."""
    return [it for it in (*(older_log(log, n) for n in range(FILES, 0, -1)), log) if it.exists()]


def is_complete(log: Path) -> bool:
    """Whether the last line is written: it may stand at the end of a file that was moved right after it."""
    return any(_ends_with_last_line(it) for it in (log, older_log(log, 1)))


def _ends_with_last_line(file: Path) -> bool:
    try:
        return file.read_text().endswith("the last line\n")
    except FileNotFoundError:  # not begun yet, or moved on at this moment
        return False


def writes(fork_server: ForkServer, log: Path, lines: int, *arguments: str) -> ForkedProcess:
    child = fork_server.start(chatty(lines, *arguments), log)
    until(lambda: is_complete(log))
    return child


def numbers(content: str) -> list[int]:
    """The numbers of the lines on standard output. The order of the two streams may change at a new file."""
    return [int(line[:8]) for line in content.splitlines() if line.endswith("x")]


def errors(content: str) -> list[int]:
    """The numbers of the lines on standard error."""
    return [int(line[:6]) for line in content.splitlines() if line.endswith(" error")]


def test_a_process_that_writes_much_more_than_the_bound_keeps_the_newest_lines_and_loses_none(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    log = tmp_path / "chatty.log"
    child = writes(fork_server, log, 60_000, "stays")

    assert child.poll() is None
    until(lambda: log.stat().st_size <= LIMIT)
    assert len(files(log)) == FILES
    for file in files(log):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sum(it.stat().st_size for it in files(log)) < 60_000 * LINE_BYTES
    content = "".join(it.read_text() for it in files(log))
    for kept, count in ((numbers(content), 60_000), (errors(content), 600)):
        assert kept == list(range(kept[0], count))
        assert kept[0] > 0
    child.send_signal(signal.SIGTERM)
    child.wait()


def test_a_process_that_ends_at_once_again_and_again_is_bounded_too(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    log = tmp_path / "chatty.log"
    for _ in range(6):
        writes(fork_server, log, 1_500).wait(10)

    assert len(files(log)) == FILES
    assert all(it.stat().st_size <= LIMIT + 1_550 * LINE_BYTES for it in files(log))
    assert not older_log(log, FILES).exists()


def test_a_process_goes_on_writing_when_nobody_supervises_it_any_more(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    log = tmp_path / "chatty.log"
    child = fork_server.start(chatty(40_000, "stays"), log)
    until(lambda: log.exists() and log.stat().st_size > 0)
    fork_server.close()

    until(lambda: is_complete(log))

    until(lambda: log.stat().st_size <= LIMIT)
    child.send_signal(signal.SIGTERM)
    child.wait()


def test_a_log_that_somebody_moved_away_begins_anew(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    log = tmp_path / "chatty.log"
    child = fork_server.start(chatty(60_000, "stays"), log)
    until(lambda: log.exists() and log.stat().st_size > 0)
    log.rename(tmp_path / "elsewhere")

    until(lambda: is_complete(log))

    child.send_signal(signal.SIGTERM)
    child.wait()


def test_an_older_file_that_cannot_be_moved_leaves_the_process_with_the_log(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    log = tmp_path / "chatty.log"
    (older_log(log, 2) / "in the way").mkdir(parents=True)
    older_log(log, 1).touch()

    child = writes(fork_server, log, 10_000, "stays")

    assert numbers(log.read_text()) == list(range(10_000))
    child.send_signal(signal.SIGTERM)
    child.wait()


def test_a_log_that_a_child_left_too_large_is_moved_at_the_next_start(tmp_path: Path) -> None:
    log = tmp_path / "it.log"
    with log.open("wb") as file:
        file.truncate(MAX_BYTES + 1)

    start(Program("it", (sys.executable, "-c", "print('new')"), {}), log).wait(10)

    assert log.read_text() == "new\n"
    assert older_log(log, 1).stat().st_size == MAX_BYTES + 1


def test_a_log_within_the_bound_stays(tmp_path: Path) -> None:
    log = tmp_path / "it.log"
    log.write_text("kept\n")

    os.close(open_log(log))
    shrink_log(log)

    assert log.read_text() == "kept\n"
    assert files(log) == [log]


def test_the_log_of_another_program_is_cut_while_it_writes(tmp_path: Path) -> None:
    log = tmp_path / "other.log"
    with log.open("ab") as output:
        second = subprocess.Popen(
            [sys.executable, "-c", CHATTY, "20000", "stays"], stdout=output, stderr=output
        )

    def cut_until_the_end() -> bool:
        shrink_log(log, LIMIT)
        return is_complete(log)

    until(cut_until_the_end)
    second.kill()
    second.wait()

    assert len(files(log)) == FILES
    assert {stat.S_IMODE(older_log(log, n).stat().st_mode) for n in (1, 2)} == {0o600}
    newest = numbers(older_log(log, 1).read_text() + log.read_text())
    assert newest == sorted(set(newest))
    assert newest[-1] == 19_999


ON_A_FULL_DISK = """
import pathlib, resource, sys
from shared.embedded.log_files import shrink_log
before = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
shrink_log(pathlib.Path(sys.argv[1]), 1)
resource.setrlimit(resource.RLIMIT_FSIZE, before)
"""


def test_a_copy_that_a_full_disk_cuts_short_is_removed_and_no_line_is_lost(tmp_path: Path) -> None:
    log = tmp_path / "it.log"
    log.write_text("kept\n" * 1_000)

    subprocess.run([sys.executable, "-c", ON_A_FULL_DISK, log], check=True)

    assert log.read_text() == "kept\n" * 1_000
    assert files(log) == [log]


def test_what_cannot_be_copied_stays_as_it_is(tmp_path: Path) -> None:
    log = tmp_path / "it.log"
    log.write_text("kept\n")
    (older_log(log, 1) / "in the way").mkdir(parents=True)
    (older_log(log, 2) / "in the way").mkdir(parents=True)

    shrink_log(log, 1)

    assert log.read_text() == "kept\n"


@pytest.mark.postgres
def test_the_logs_of_the_servers_are_bounded(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "data")
    stack.start()
    logs = (stack.data / "broker" / "broker.log", stack.postgres.log)
    for log in logs:
        with log.open("ab") as file:
            file.truncate(MAX_BYTES + 1)

    assert stack.maintain() == []

    for log in logs:
        assert log.stat().st_size < MAX_BYTES
        assert older_log(log, 1).stat().st_size >= MAX_BYTES + 1
        assert stat.S_IMODE(older_log(log, 1).stat().st_mode) == 0o600
        assert older_log(log, 1).stat().st_uid == log.stat().st_uid
    stack.stop()
