"""A PostgreSQL server and a broker in one data directory, which all processes of an installation use."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import signal
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import ClassVar, Protocol

import orjson
from sqlalchemy import text

from shared.db.migrate import upgrade
from shared.db.session import engine_for
from shared.embedded.broker import Broker
from shared.embedded.log_files import shrink_log
from shared.embedded.postgres import PostgresServer, free_port, is_free
from shared.embedded.reaper import Reaper
from shared.errors import LeadbatonError
from shared.kafka import admin, config
from shared.process.settings import Settings

OPTIONS = ("-c max_connections=200",)
DATABASE = "leadbaton"
FORGETFUL_MS = "2000"
"""The session timeout of workers on a broker that keeps no log. A short one lets groups form again quickly."""
LOG_FOLDERS = {"broker", "logs"}
LOCK = "lock"
UNFINISHED = "restoring"
"""A file that exists while a backup is restored, and after a restore that was interrupted."""
OWN_FILES = {
    *LOG_FOLDERS,
    *(
        LOCK,
        UNFINISHED,
        "postgres",
        "demo",
        "env",
        "ports.json",
        "secret_key",
        "demo.json",
        "reps.yaml",
    ),
    *("processes.json", "processes.new"),
}
"""The files in the data directory of an installation or a demonstration."""
DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
Report = Callable[[str], None]


class InUse(LeadbatonError):
    """Another process uses this data directory."""

    code = "in_use"


class DataUnusable(LeadbatonError):
    """The directory cannot hold an installation."""

    code = "data_unusable"


class LogServer(Protocol):
    """A Kafka broker that can be started, watched and stopped."""

    keeps_log: ClassVar[bool]

    @property
    def bootstrap(self) -> str:
        """The address for clients."""

    @property
    def pid(self) -> int | None:
        """The id of its process, or None while it does not run."""

    def start(self) -> None:
        """Start it and wait until it accepts connections."""

    def stop(self) -> None:
        """End it."""

    def running(self) -> bool:
        """Whether its process exists."""


class Stack:
    """The servers of one installation, whose data stay in one directory between starts."""

    def __init__(
        self,
        data: Path,
        *,
        make_broker: Callable[[Path, int], LogServer] = Broker,
        postgres_options: tuple[str, ...] = OPTIONS,
    ) -> None:
        self.data = data.absolute()
        self._make_broker = make_broker
        self._postgres_options = postgres_options
        self._undo = ExitStack()
        self._has_topics = False
        self.environment: dict[str, str] = {}
        self.reaper: Reaper
        self.postgres: PostgresServer
        self.broker: LogServer

    def start(self, report: Report = lambda _: None) -> None:
        """Start the servers, migrate the database, create the topics.

        Raises InUse when another process uses the directory. `stop` stops what was started, also after an error.
        """
        with explain_disk_errors(self.data):
            self._start(report)

    def _start(self, report: Report) -> None:
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = _locked(self.data / LOCK)
        self._undo.callback(os.close, lock)
        self._prepare()
        close_to_others(self.data)
        self.reaper = Reaper(lock)
        self._undo.callback(self.reaper.close)
        ports = self._ports()
        self._start_postgres(ports["postgres"])
        self._undo.callback(self._stop_postgres)
        report("PostgreSQL answers")
        report(self._migrate())
        self.broker = self._make_broker(self.data / "broker", ports["broker"])
        self.environment = self._environment()
        self.write_environment(self.environment)
        self._undo.callback(self.broker.stop)
        self._start_broker()
        report("the broker answers, its topics are there")

    def maintain(self) -> list[str]:
        """Start servers that have ended again and return their names; raises Unavailable. It also bounds their logs."""
        for log in (self.data / "broker" / "broker.log", self.postgres.log):
            shrink_log(log)
        restarted = []
        if not self.postgres.running():
            self._start_postgres(self.postgres.port)
            restarted.append("PostgreSQL")
        if not (self.broker.running() and self._has_topics):
            self._start_broker()
            restarted.append("the broker")
        return restarted

    def stop(self) -> None:
        """Stop the servers; their data stay in the directory."""
        self._undo.close()

    def settings(self) -> Settings:
        """The settings of a process that runs in this environment."""
        return Settings.model_validate(
            {
                name.removeprefix("LEADBATON_").lower(): value
                for name, value in self.environment.items()
            }
        )

    def write_environment(self, environment: Mapping[str, str]) -> None:
        """Write the file by which other commands find this installation; it holds the password."""
        file = self.data / "env"
        file.touch(mode=0o600)
        file.write_text("".join(f"{name}={value}\n" for name, value in environment.items()))

    def _prepare(self) -> None:
        """Check the directory, which is locked, before a server starts in it; raises DataUnusable."""
        if (self.data / UNFINISHED).exists():
            raise DataUnusable(
                f"a restore into {self.data} was interrupted, so it is incomplete: "
                "delete that directory, and restore again"
            )

    def _fill(self, url: str) -> None:
        """Fill the new database before it is migrated; here with nothing."""

    def _start_postgres(self, port: int) -> None:
        self.postgres = PostgresServer(self.data / "postgres", port, self._postgres_options)
        if self.postgres.running():
            self.postgres.stop()  # it was left by a crash, and listens on another port
        self.postgres.start()
        pid = self.postgres.read_pid()
        if pid is not None:
            self.reaper.watch(pid, signal.SIGINT)

    def _stop_postgres(self) -> None:
        if self.postgres.running():
            self.postgres.stop()

    def _start_broker(self) -> None:
        self._has_topics = False
        if not self.broker.running():
            self.broker.start()
        if self.broker.pid is not None:
            self.reaper.watch(self.broker.pid)
        admin.create_topics(config.of(self.settings()))
        self._has_topics = True

    def _migrate(self) -> str:
        server = engine_for(self.postgres.url("postgres"))
        with server.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            exists = text("select 1 from pg_database where datname = :name")
            if connection.scalar(exists, {"name": DATABASE}) is None:
                connection.execute(text(f"create database {DATABASE}"))
                self._fill(self.postgres.url(DATABASE))
        server.dispose()
        database = engine_for(self.postgres.url(DATABASE))
        done = upgrade(database)
        database.dispose()
        return f"the database is migrated ({len(done)} migrations ran)"

    def _ports(self) -> dict[str, int]:
        """The ports of the last start where they are free, so that noted URLs stay valid."""
        file = self.data / "ports.json"
        last_ports: dict[str, int] = {}
        with suppress(FileNotFoundError, orjson.JSONDecodeError):  # a full disk truncates files
            last_ports = orjson.loads(file.read_bytes())
        ports = {name: _port(last_ports.get(name)) for name in ("postgres", "broker")}
        file.write_bytes(orjson.dumps(ports))
        return ports

    def _environment(self) -> dict[str, str]:
        return {
            "LEADBATON_DATABASE_URL": self.postgres.url(DATABASE),
            "LEADBATON_KAFKA_BOOTSTRAP": self.broker.bootstrap,
            "LEADBATON_KAFKA_KEEPS_LOG": str(self.broker.keeps_log).lower(),
            "LEADBATON_KAFKA_PARTITIONS": "4",
            "LEADBATON_KAFKA_SESSION_TIMEOUT_MS": "6000" if self.broker.keeps_log else FORGETFUL_MS,
            "LEADBATON_SECRET_KEY": _secret(self.data / "secret_key"),
            "LEADBATON_ALLOW_NETWORKS": "127.0.0.0/8,::1/128",
        }


@contextmanager
def explain_disk_errors(data: Path) -> Iterator[None]:
    """Raise DataUnusable where the block fails at a file of the directory, or because a disk is full or broken."""
    try:
        yield
    except OSError as error:
        path = Path(os.fsdecode(error.filename)) if error.filename is not None else data
        is_inside = path.absolute().is_relative_to(data.absolute())
        if not is_inside or (error.filename is None and error.errno not in DISK_FAULTS):
            raise
        raise DataUnusable(
            f"no installation can be kept in {data} ({path}: {error.strerror}): "
            "repair that, or choose another directory with --data"
        ) from None


def close_to_others(data: Path) -> None:
    """Restrict the installation's files in the directory to their owner: older versions left them readable.

    Other files are not touched, and PostgreSQL sets the modes of its own.
    """
    for path in data.iterdir():
        if path.name not in OWN_FILES or path.is_symlink():
            continue
        path.chmod(0o700 if path.is_dir() else 0o600)
        if path.name in LOG_FOLDERS:
            for log in path.glob("*.log*"):
                log.chmod(0o600)
    if all(path.name in OWN_FILES for path in data.iterdir()):  # else others use it too
        data.chmod(0o700)


def _locked(file: Path) -> int:
    """A descriptor that holds the lock of the file until it is closed here and in the reaper; raises InUse."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise InUse(
            f"{file.parent} is in use: another `leadbaton up` runs on it (or ended seconds ago); "
            "stop that one, or choose another directory with --data"
        ) from None
    return descriptor


def _secret(file: Path) -> str:
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(urlsafe_b64encode(secrets.token_bytes(32)).decode())
    return file.read_text()


def _port(last_port: int | None) -> int:
    return last_port if last_port is not None and is_free(last_port) else free_port()
