"""Tests that no process outlives its owner."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.embedded.reaper import Reaper, is_alive, is_zombie, pids_left, reap

SLEEPER = (
    "import signal\n"
    "signal.signal(signal.SIGINT, signal.SIG_DFL)\n"  # who runs us in the background has it ignored
    "print('here', flush=True)\n"
    "signal.pause()"
)
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{SLEEPER}"
Sleeper = subprocess.Popen[bytes]


def sleeper(source: str = SLEEPER) -> Sleeper:
    process = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout as output:
        assert output.readline() == b"here\n"
    return process


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield descriptor
    os.close(descriptor)


def test_the_end_of_the_owner_ends_every_process_on_the_list(lock: int) -> None:
    reaper = Reaper(lock)
    running, stopping, ended = sleeper(), sleeper(), sleeper()
    reaper.watch(running.pid)
    reaper.forget(running.pid)
    reaper.watch(stopping.pid, signal.SIGINT)
    reaper.watch(ended.pid)
    ended.terminate()
    ended.wait()

    reaper.close()

    assert stopping.wait() == -signal.SIGINT
    assert running.poll() is None
    running.kill()
    running.wait()


def test_a_killed_owner_leaves_nobody_and_the_lock_is_free_again(tmp_path: Path) -> None:
    owner_source = (
        "import fcntl, os, subprocess, sys\n"
        "from shared.embedded.reaper import Reaper\n"
        "lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT); fcntl.flock(lock, fcntl.LOCK_EX)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])\n"
        "Reaper(lock).watch(child.pid)\n"
        "print(child.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    file = tmp_path / "lock"
    owner = subprocess.run(
        [sys.executable, "-c", owner_source, str(file)], stdout=subprocess.PIPE, check=False
    )

    with file.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # waits for the reaper's end
    assert owner.returncode == -signal.SIGKILL
    assert not is_alive(int(owner.stdout))


def test_who_does_not_listen_is_killed() -> None:
    stubborn = sleeper(STUBBORN)

    reap({stubborn.pid: signal.SIGTERM}, grace_s=0.1)

    assert stubborn.wait() == -signal.SIGKILL


def test_a_process_is_a_zombie_until_its_parent_asks_for_its_status() -> None:
    process = sleeper()
    assert is_alive(process.pid)

    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert is_zombie(process.pid)
    assert not is_alive(process.pid)

    process.wait()
    assert not is_zombie(process.pid)
    assert not is_alive(process.pid)


def test_nobody_is_on_an_empty_list() -> None:
    assert pids_left([]) == {}
    assert pids_left(["+1 15\n", "+2 2\n", "-1\n", "-3\n"]) == {2: 2}
