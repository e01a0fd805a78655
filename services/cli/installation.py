"""One installation on this machine: the embedded servers, and every process on them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Lock

from services.cli.processes import (
    ALIGNMENT_API,
    CONSOLE,
    PROCESSES,
    ROUTING_API,
    SCORING_API,
    SLA_API,
    Process,
)
from shared.clock import utc_now
from shared.embedded.exits import exits_in
from shared.embedded.fork_server import ForkServer
from shared.embedded.postgres import free_port, is_free, reserve_port
from shared.embedded.stack import Stack, explain_disk_errors
from shared.embedded.supervisor import KeepsCrashing, Program, Supervisor
from shared.errors import LeadbatonError, Unavailable

TEND_EVERY_S = 0.05
"""The pause between two looks for processes that ended."""
APIS = {it.name: it.command[0] for it in PROCESSES if it.port}
"""The service of each API, by the name of its process."""
Report = Callable[[str], None]


class PortTaken(LeadbatonError):
    """Another program listens on the port of an API."""

    code = "port_taken"


class CommandFailed(LeadbatonError):
    """A command on this installation failed, and has printed its message to stderr."""

    code = "command_failed"


class Installation:
    """A started stack, and the processes on it. `ports` has the port of each API, by the process's name."""

    def __init__(self, stack: Stack, ports: Mapping[str, int]) -> None:
        self.stack = stack
        self._turn = Lock()
        self._ended = False
        self.ports = {it.name: ports.get(it.name) or free_port() for it in PROCESSES}
        self.environment = {
            **stack.environment,
            "LEADBATON_PUBLIC_URL": self.url(ROUTING_API),
            "LEADBATON_CONSOLE_URL": self.url(CONSOLE),
            **{
                f"LEADBATON_{it.command[0].upper()}_URL": self.url(it)
                for it in (SCORING_API, ROUTING_API, SLA_API, ALIGNMENT_API)
            },
            **{
                f"LEADBATON_{it.command[0].upper()}_PORT": str(self.ports[it.name])
                for it in (SCORING_API, ROUTING_API, SLA_API, ALIGNMENT_API)
            },
        }
        stack.write_environment(self.environment)
        self._fork_server = ForkServer({it.entry.partition(":")[0] for it in PROCESSES})
        self.supervisor = Supervisor(
            [self.program(it) for it in PROCESSES],
            stack.data / "logs",
            stack.reaper,
            self._fork_server.start,
            lambda name: exits_in(stack.data).add(name, utc_now()),
        )

    def url(self, process: Process) -> str:
        """The URL of a process: of an API, or of a worker's probes."""
        return f"http://127.0.0.1:{self.ports[process.name]}"

    def command(self, *arguments: str, quiet: bool = False) -> str:
        """Run `leadbaton ARGUMENTS` on this installation; its standard output. Raises CommandFailed.

        Its messages are printed to stderr; those of a `quiet` one only if it fails.
        """
        completed = subprocess.run(
            [sys.executable, "-m", "services.cli", *arguments],
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if quiet else None,
            text=True,
            check=False,
        )
        if completed.returncode != 0:
            sys.stderr.write(completed.stderr or "")
            raise CommandFailed(f"`leadbaton {' '.join(arguments)}` failed; its message is above")
        return completed.stdout

    def start(self, *, timeout_s: float = 60.0, stop: Event | None = None) -> None:
        """Start every process and wait until all are ready, or until `stop` is set; raises PortTaken or StartFailed."""
        self.supervisor.start()
        try:
            self.supervisor.wait_ready(timeout_s, stop)
        except KeepsCrashing as crash:
            if crash.program in APIS:
                _check_port(crash.program, self.ports[crash.program])
            raise

    def maintain(self, stop: Event, report: Report = lambda _: None) -> None:
        """Keep servers and processes running until `stop` is set, or `end` is called."""
        while not stop.wait(TEND_EVERY_S):
            with self._turn:
                if self._ended:
                    return
                self._tend_once(report)

    def _tend_once(self, report: Report) -> None:
        with _reported_outage(report):
            for message in self.supervisor.maintain():
                report(message)
        with _reported_outage(report):
            for server in self.stack.maintain():
                report(f"{server} had died and was started again")

    @contextmanager
    def keep_running(self, report: Report = lambda _: None) -> Iterator[None]:
        """Keep servers and processes running while the block runs, in another thread; raises what ended it early."""
        stop = Event()
        with ThreadPoolExecutor(1, thread_name_prefix="maintenance") as pool:
            maintenance = pool.submit(self.maintain, stop, report)
            try:
                yield
            finally:
                stop.set()
        maintenance.result()

    def stop(self) -> list[str]:
        """Stop every process; the names of those that had to be killed. The stack stays."""
        with self._turn:
            return self.supervisor.stop()

    def end(self) -> list[str]:
        """Stop every process for good: `maintain` starts none of them again."""
        with self._turn:
            self._ended = True
            killed = self.supervisor.stop()
            self._fork_server.close()
            return killed

    def program(self, process: Process, number: int = 0) -> Program:
        """The program of a process; `number` is 0 for the first of its kind, and counts the others."""
        name = process.name if number == 0 else f"{process.name}-{number}"
        self.ports[name] = self.ports.get(name) or free_port()
        own = {
            "LEADBATON_PORT" if process.port else "LEADBATON_PROBE_PORT": str(self.ports[name]),
            "LEADBATON_WORKER_NAME": f"{process.name}-{number}",
            "PGAPPNAME": f"leadbaton-{name}",
        }
        probe = f"http://127.0.0.1:{self.ports[name]}{process.health}"
        return Program(name, process.argv, {**self.environment, **own}, probe)


def _check_port(api: str, port: int) -> None:
    """Raise PortTaken if another program listens where this API should."""
    if not is_free(port):
        raise PortTaken(
            f"port {port}, where {api} should listen, is taken: stop the program that listens there, or choose another "
            f"port with `leadbaton up --{APIS[api]}-port`; `leadbaton demo --free-ports` takes free ones"
        )


@contextmanager
def _reported_outage(report: Report) -> Iterator[None]:
    try:
        yield
    except Unavailable as outage:
        report(f"{outage.message}; trying again")


@contextmanager
def installation(
    stack: Stack, ports: Mapping[str, int], report: Report = lambda _: None
) -> Iterator[Installation]:
    """The stack, started; its processes are stopped before it, however the block ends.

    `ports` has the port of each API, by the process's name; those without one get a free one. They are reserved until
    this process ends, so that no other installation chooses them. Raises PortTaken before anything is started.
    """
    for name, port in ports.items():
        if not reserve_port(port):  # it is in use, or a connection to it ended a moment ago
            _check_port(name, port)
    with explain_disk_errors(stack.data):
        try:
            stack.start(report)
            running = Installation(stack, ports)
            try:
                yield running
            finally:
                running.end()
        finally:
            stack.stop()
