"""One installation for all faults, the books of a quiet run, and the table at the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.clock import utc_now
from shared.embedded.broker import Broker
from tests.fault.audit import audit, check_scores, ready_to_read, settled
from tests.fault.processes import keeps_log
from tests.fault.proof import Proof
from tests.fault.sending import sending
from tests.fault.stored_progress import watching_progress
from tests.fault.stream import FULL, SENDERS, Stream
from tests.fault.table import Line, table, write
from tests.journey.world import World, world
from tests.kafka.server import ApacheKafka

FILES = Path(__file__).parent
NAMES = {**{f"site-{it}": "ingest" for it in range(SENDERS)}, "ops": "ops"}
LINES = pytest.StashKey[list[Line]]()
EMBEDDED = {
    "test_the_quiet_run_is_as_it_should_be",
    "test_killed_at_random_moments_every_process_is_back_at_work",
    "test_the_broker_loses_its_log_and_the_outbox_has_it_all",
    "test_postgresql_crashes",
}
"""What the shorter cut tries on the embedded broker too."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One installation after the other: Apache Kafka's, then the embedded one."""
    if "running" in metafunc.fixturenames:
        short = not FULL and metafunc.function.__name__ in EMBEDDED
        brokers = [ApacheKafka, Broker] if short else [ApacheKafka]
        metafunc.parametrize("running", brokers, indirect=True, scope="package")


@pytest.fixture(scope="package")
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """All processes on a broker and PostgreSQL, kept running by the supervisor."""
    data = tmp_path_factory.mktemp("fault")
    with world(data, request.param, files=FILES, names=NAMES) as running:
        ready_to_read(running)
        yield running


@pytest.fixture(scope="package")
def quiet(running: World, pytestconfig: pytest.Config) -> Iterator[Proof]:
    """The books of a run that nobody disturbs, for all others to be compared with."""
    stream = Stream("quiet", utc_now())
    with watching_progress(running) as progress:
        with sending(running, stream):
            pass
        settled(running, stream)
    result = audit(running, stream)
    lines = pytestconfig.stash.setdefault(LINES, [])
    where = "" if keeps_log(running) else " (embedded broker)"
    lines.append(Line("none" + where, 0, result.lost, result.doubled, progress.longest_pause_s()))
    yield Proof(running, stream.began, result, lines, where)
    check_scores(running)


@pytest.fixture
def proof(quiet: Proof) -> Iterator[Proof]:
    """The installation, whole again after each test."""
    yield quiet
    quiet.world.restart()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """The table, on the screen and in the file that the environment names."""
    if lines := config.stash.get(LINES, []):
        terminalreporter.section("faults")
        terminalreporter.write_line(table(lines))
        write(lines)
