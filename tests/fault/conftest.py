"""One installation for all faults, the audit of an undisturbed run, and the table at the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.clock import utc_now
from shared.embedded.broker import Broker
from tests.fault.audit import audit, check_scores, create_audit_index, settled
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
    "test_the_undisturbed_run_loses_and_doubles_nothing",
    "test_killed_at_random_moments_every_process_is_back_at_work",
    "test_the_broker_loses_the_log_and_the_outbox_has_every_record",
    "test_postgresql_crashes",
}
"""The tests that the shorter cut runs on the embedded broker too."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests on Apache Kafka, and some of them on the embedded broker too."""
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
        create_audit_index(running)
        yield running


@pytest.fixture(scope="package")
def undisturbed(running: World, pytestconfig: pytest.Config) -> Iterator[Proof]:
    """The audit of an undisturbed run, with which all others are compared."""
    stream = Stream("undisturbed", utc_now())
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
def proof(undisturbed: Proof) -> Iterator[Proof]:
    """The installation; all its processes and servers run again after each test."""
    yield undisturbed
    undisturbed.world.restart()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table, and write it to the file that the environment names."""
    if lines := config.stash.get(LINES, []):
        terminalreporter.section("faults")
        terminalreporter.write_line(table(lines))
        write(lines)
