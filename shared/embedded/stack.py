"""A PostgreSQL server and a broker in one data directory: everything that the processes need around them."""

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
from shared.embedded.log_files import cut
from shared.embedded.postgres import PostgresServer, free_port, is_free
from shared.embedded.reaper import Reaper
from shared.errors import LeadbatonError
from shared.kafka import admin, config
from shared.process.settings import Settings

OPTIONS = ("-c max_connections=200",)
DATABASE = "leadbaton"
FORGETFUL_MS = "2000"
"""The session of workers on a broker that keeps nothing: half of one forms a group, and two miss a member."""
LOG_FOLDERS = {"broker", "logs"}
LOCK = "lock"
UNFINISHED = "restoring"
"""A file that is there while an installation is made from a backup, and after one that was cut short."""
OURS = {
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
"""What the data directory of an installation, or of a demonstration, holds."""
DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
Say = Callable[[str], None]


class InUse(LeadbatonError):
    """Somebody else runs on this data directory."""

    code = "in_use"


class DataUnusable(LeadbatonError):
    """No installation can be kept in this directory."""

    code = "data_unusable"


class LogServer(Protocol):
    """A Kafka broker that can be started, asked after and stopped."""

    keeps_log: ClassVar[bool]

    @property
    def bootstrap(self) -> str:
        """Where clients find it."""

    @property
    def pid(self) -> int | None:
        """The process that serves it now."""

    def start(self) -> None:
        """Start it and wait until it answers."""

    def stop(self) -> None:
        """End it."""

    def running(self) -> bool:
        """Whether its process lives."""


class Stack:
    """The servers of one installation, kept in one directory and found there again at the next start."""

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

    def start(self, say: Say = lambda _: None) -> None:
        """Start the servers, migrate the database, create the topics.

        Raises InUse when somebody else runs on the directory. `stop` undoes what was started, also after an error.
        """
        with usable(self.data):
            self._start(say)

    def _start(self, say: Say) -> None:
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = _locked(self.data / LOCK)
        self._undo.callback(os.close, lock)
        self._prepare()
        for_owner_alone(self.data)
        self.reaper = Reaper(lock)
        self._undo.callback(self.reaper.close)
        ports = self._ports()
        self._start_postgres(ports["postgres"])
        self._undo.callback(self._stop_postgres)
        say("PostgreSQL answers")
        say(self._migrate())
        self.broker = self._make_broker(self.data / "broker", ports["broker"])
        self.environment = self._environment()
        self.tell(self.environment)
        self._undo.callback(self.broker.stop)
        self._start_broker()
        say("the broker answers, its topics are there")

    def tend(self) -> list[str]:
        """Start again whichever server has died; the names of those that had. Raises Unavailable when it cannot.

        Their logs are kept bounded, too.
        """
        for log in (self.data / "broker" / "broker.log", self.postgres.log):
            cut(log)
        died = []
        if not self.postgres.running():
            self._start_postgres(self.postgres.port)
            died.append("PostgreSQL")
        if not (self.broker.running() and self._has_topics):
            self._start_broker()
            died.append("the broker")
        return died

    def stop(self) -> None:
        """Stop the servers; what they know stays in the directory."""
        self._undo.close()

    def settings(self) -> Settings:
        """What a process in this environment would be told."""
        return Settings.model_validate(
            {
                name.removeprefix("LEADBATON_").lower(): value
                for name, value in self.environment.items()
            }
        )

    def tell(self, environment: Mapping[str, str]) -> None:
        """Write down what other commands need to find this installation; it holds the password."""
        file = self.data / "env"
        file.touch(mode=0o600)
        file.write_text("".join(f"{name}={value}\n" for name, value in environment.items()))

    def _prepare(self) -> None:
        """Look at the directory, which is ours alone now, before anything is started in it."""
        if (self.data / UNFINISHED).exists():
            raise DataUnusable(
                f"a restore into {self.data} was cut short, so it is not whole: "
                "delete that directory, and restore again"
            )

    def _fill(self, url: str) -> None:
        """Put into the new database what shall be there before it is migrated: nothing."""

    def _start_postgres(self, port: int) -> None:
        self.postgres = PostgresServer(self.data / "postgres", port, self._postgres_options)
        if self.postgres.running():
            self.postgres.stop()  # left over from a crash, and on another port than ours
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
        """The same ports as last time where they are free, so that URLs people noted stay true."""
        file = self.data / "ports.json"
        before: dict[str, int] = {}
        with suppress(FileNotFoundError, orjson.JSONDecodeError):  # a full disk cuts files short
            before = orjson.loads(file.read_bytes())
        ports = {name: _again(before.get(name)) for name in ("postgres", "broker")}
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
def usable(data: Path) -> Iterator[None]:
    """Raises DataUnusable when the block fails at a file of the directory, or because no disk takes what it writes."""
    try:
        yield
    except OSError as error:
        path = Path(os.fsdecode(error.filename)) if error.filename is not None else data
        within = path.absolute().is_relative_to(data.absolute())
        if not within or (error.filename is None and error.errno not in DISK_FAULTS):
            raise
        raise DataUnusable(
            f"no installation can be kept in {data} ({path}: {error.strerror}): "
            "mend that, or choose another directory with --data"
        ) from None


def for_owner_alone(data: Path) -> None:
    """Close to everybody but the owner what older versions left readable, and nothing else that lies in the directory.

    PostgreSQL looks after its own files.
    """
    for path in data.iterdir():
        if path.name not in OURS or path.is_symlink():
            continue
        path.chmod(0o700 if path.is_dir() else 0o600)
        if path.name in LOG_FOLDERS:
            for log in path.glob("*.log*"):
                log.chmod(0o600)
    if all(
        path.name in OURS for path in data.iterdir()
    ):  # a directory that others use stays theirs
        data.chmod(0o700)


def _locked(file: Path) -> int:
    """The file's lock, ours until the descriptor is closed here and in the reaper."""
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


def _again(port: int | None) -> int:
    return port if port is not None and is_free(port) else free_port()
