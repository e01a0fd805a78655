"""An installation is looked after by one at a time, and by nobody once it has ended."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Thread

import pytest

from services.cli.installation import installation
from shared.embedded.broker import Broker
from shared.embedded.stack import Stack
from shared.embedded.supervisor import Program
from tests.journey.world import until

pytestmark = pytest.mark.postgres


class SlowToReturn(Broker):
    """A broker that comes back from the dead only when it may."""

    def __init__(self, directory: Path, port: int) -> None:
        super().__init__(directory, port)
        self.returning, self.may_return = Event(), Event()
        self.may_return.set()

    def start(self) -> None:
        self.returning.set()
        assert self.may_return.wait(20)
        super().start()


def test_who_ends_it_waits_for_who_tends_it_and_nothing_is_started_afterwards(
    tmp_path: Path,
) -> None:
    block = ExitStack()
    running = block.enter_context(installation(Stack(tmp_path, make_broker=SlowToReturn), {}))
    broker = running.stack.broker
    assert isinstance(broker, SlowToReturn)
    maintenance = Thread(target=running.maintain, args=(Event(),))
    maintenance.start()
    broker.may_return.clear()
    broker.returning.clear()
    broker.kill()
    assert broker.returning.wait(10)

    ending = Thread(target=block.close)
    ending.start()
    ending.join(0.3)
    assert ending.is_alive()
    broker.may_return.set()
    ending.join(30)
    maintenance.join(5)

    assert not ending.is_alive()
    assert not maintenance.is_alive()
    assert not broker.running()


def test_a_process_that_ends_while_it_is_tended_is_started_again_and_reported(
    tmp_path: Path,
) -> None:
    messages: list[str] = []
    with installation(Stack(tmp_path), {}) as running:
        running.supervisor.add(Program("brief", (sys.executable, "-m", "this"), {}))
        with running.keep_running(messages.append):
            until(lambda: any("brief has ended and is restarted" in it for it in messages))
        assert running.stop() == []


def test_a_server_that_dies_while_it_is_tended_is_started_again_and_reported(
    tmp_path: Path,
) -> None:
    messages: list[str] = []
    with installation(Stack(tmp_path), {}) as running, running.keep_running(messages.append):
        broker = running.stack.broker
        assert isinstance(broker, Broker)
        broker.kill()
        until(lambda: "the broker had died and was started again" in messages)
        assert broker.running()
