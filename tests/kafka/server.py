"""Apache Kafka from its jars, which Maven copies once."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import ClassVar

from shared.embedded.postgres import free_port
from shared.errors import Unavailable
from shared.kafka.admin import topic_ids
from shared.kafka.errors import BrokerAway
from tests.conftest import config_at

POM = Path(__file__).with_name("pom.xml")
CACHE = Path(__file__).parents[2] / ".cache" / "kafka"
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
CLUSTER_ID = "bGVhZGJhdG9uLXRlc3RzLQ"
PATIENCE_S = 60.0
PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={logs}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""


def jars() -> Path:
    """The folder with the jars of the version in pom.xml, filled at the first call."""
    folder = CACHE / hashlib.sha256(POM.read_bytes()).hexdigest()[:12]
    complete = folder / "complete"
    if not complete.exists():
        subprocess.run(
            [
                *("mvn", "-q", "-B", "-f", str(POM), PLUGIN),
                *("-DincludeScope=runtime", f"-DoutputDirectory={folder}"),
            ],
            stdin=subprocess.DEVNULL,
            check=True,
        )
        complete.touch()
    return folder


class ApacheKafka:
    """One broker on loopback, with the methods of `shared.embedded.broker.Broker`, but with a log on disk."""

    keeps_log: ClassVar[bool] = True
    quorum: ClassVar[Sequence[str]] = ("--standalone",)
    """The options with which its storage is formatted: for a single controller."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """The address for clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """The id of its process, while it runs."""
        return self._process.pid if self._process and self.running() else None

    def running(self) -> bool:
        """Whether its process is alive, paused or not."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Format the log if it is new, start the server, wait until it answers."""
        properties = self.directory / "server.properties"
        if not properties.exists():
            self._format(properties)
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._java("kafka.Kafka", str(properties)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_until_it_answers()

    def stop(self) -> None:
        """End the broker with SIGTERM."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the broker with SIGKILL."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Pause the broker: connections stay open, and no request is answered."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Resume the broker after `pause`."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self.resume()
            self._process.send_signal(number)
            self._process.wait(PATIENCE_S)

    def _format(self, properties: Path) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        properties.write_text(self._properties())
        tool = self._java("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c")
        subprocess.run(
            [*tool, str(properties), *self.quorum], check=True, stdout=subprocess.DEVNULL
        )

    def _properties(self) -> str:
        return PROPERTIES.format(
            port=self.port, controller=free_port(), logs=self.directory / "log"
        )

    def _java(self, main: str, *arguments: str) -> list[str]:
        small = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        return ["java", *small, "-cp", f"{jars()}/*", main, *arguments]

    def _wait_until_it_answers(self) -> None:
        end, pause = time.monotonic() + PATIENCE_S, Event()
        while not self._answers():
            if not self.running() or time.monotonic() > end:
                log = self.directory / "server.log"
                raise Unavailable(f"Apache Kafka did not start: {log.read_text()[-2000:]}")
            pause.wait(0.1)

    def _answers(self) -> bool:
        return answers(self.bootstrap)


def answers(bootstrap: str) -> bool:
    """Whether a broker answers there. Each attempt is closed: one that is not would go on in a thread of its own."""
    try:
        topic_ids(config_at(bootstrap), [])
    except BrokerAway:
        return False
    return True
