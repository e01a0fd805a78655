"""One installation on this machine: the embedded servers, and every process on them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Event, Lock, Thread

from services.cli.processes import PROCESSES, ROUTING_API, SCORING_API, SLA_API, Process
from shared.clock import utc_now
from shared.embedded.exits import endings_in
from shared.embedded.fork_server import ForkServer
from shared.embedded.postgres import free_port, is_free
from shared.embedded.stack import Stack, usable
from shared.embedded.supervisor import Program, Supervisor
from shared.errors import LeadbatonError, Unavailable

TEND_EVERY_S = 0.05
"""A dead process is missed for half of this, on average."""
Say = Callable[[str], None]


class PortTaken(LeadbatonError):
    """Somebody else listens where an API should."""

    code = "port_taken"


class CommandFailed(LeadbatonError):
    """A command on this installation said no; its own words are on stderr already."""

    code = "command_failed"


class Installation:
    """A started stack, and the processes on it. `ports` says where each API listens, by the process's name."""

    def __init__(self, stack: Stack, ports: Mapping[str, int]) -> None:
        self.stack = stack
        self._turn = Lock()
        self._over = False
        self.ports = {it.name: ports.get(it.name) or free_port() for it in PROCESSES}
        self.environment = {
            **stack.environment,
            "LEADBATON_PUBLIC_URL": self.url(ROUTING_API),
            **{
                f"LEADBATON_{it.command[0].upper()}_PORT": str(self.ports[it.name])
                for it in (SCORING_API, ROUTING_API, SLA_API)
            },
        }
        stack.tell(self.environment)
        self._fork_server = ForkServer({it.entry.partition(":")[0] for it in PROCESSES})
        self.supervisor = Supervisor(
            [self.program(it) for it in PROCESSES],
            stack.data / "logs",
            stack.reaper,
            self._fork_server.start,
            lambda name: endings_in(stack.data).add(name, utc_now()),
        )

    def url(self, process: Process) -> str:
        """Where the process answers: an API for everybody, a worker its probes."""
        return f"http://127.0.0.1:{self.ports[process.name]}"

    def command(self, *arguments: str) -> str:
        """Run `leadbaton ARGUMENTS` on this installation; its standard output. Raises CommandFailed."""
        done = subprocess.run(
            [sys.executable, "-m", "services.cli", *arguments],
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise CommandFailed(f"`leadbaton {' '.join(arguments)}` failed, as it says above")
        return done.stdout

    def start(self, *, timeout_s: float = 60.0, stop: Event | None = None) -> None:
        """Start every process and wait until all are ready, or until `stop` is set."""
        for it in PROCESSES:
            if not is_free(self.ports[it.name]):
                raise PortTaken(
                    f"port {self.ports[it.name]}, where {it.name} should listen, is taken: "
                    f"stop who listens there, or choose another with --{it.command[0]}-port"
                )
        self.supervisor.start()
        self.supervisor.wait_ready(timeout_s, stop)

    def tend(self, stop: Event, say: Say = lambda _: None) -> None:
        """Keep servers and processes running until `stop` is set, or `end` is called."""
        while not stop.wait(TEND_EVERY_S):
            with self._turn:
                if self._over:
                    return
                self._look_after(say)

    def _look_after(self, say: Say) -> None:
        with _outage_said(say):
            for ended in self.supervisor.tend():
                say(ended)
        with _outage_said(say):
            for died in self.stack.tend():
                say(f"{died} had died and was started again")

    @contextmanager
    def tended(self, say: Say = lambda _: None) -> Iterator[None]:
        """Keep servers and processes running while the block runs, in a thread of its own."""
        stop = Event()
        thread = Thread(target=self.tend, args=(stop, say), name="tending", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def stop(self) -> list[str]:
        """Stop every process; the names of those that had to be killed. The stack stays."""
        with self._turn:
            return self.supervisor.stop()

    def end(self) -> list[str]:
        """Stop every process for good: whoever tends them starts nothing any more."""
        with self._turn:
            self._over = True
            killed = self.supervisor.stop()
            self._fork_server.close()
            return killed

    def program(self, it: Process, number: int = 0) -> Program:
        """How this kind of process is started here: the first of its kind, or one more (number 1, 2, …)."""
        name = it.name if number == 0 else f"{it.name}-{number}"
        self.ports[name] = self.ports.get(name) or free_port()
        own = {
            "LEADBATON_PORT" if it.port else "LEADBATON_PROBE_PORT": str(self.ports[name]),
            "LEADBATON_WORKER_NAME": f"{it.name}-{number}",
            "PGAPPNAME": f"leadbaton-{name}",
        }
        probe = f"http://127.0.0.1:{self.ports[name]}{it.health}"
        return Program(name, it.argv, {**self.environment, **own}, probe)


@contextmanager
def _outage_said(say: Say) -> Iterator[None]:
    try:
        yield
    except Unavailable as still:
        say(f"{still.message}; trying again")


@contextmanager
def installation(
    stack: Stack, ports: Mapping[str, int], say: Say = lambda _: None
) -> Iterator[Installation]:
    """The stack, started; its processes are stopped before it, however the block ends."""
    with usable(stack.data):
        try:
            stack.start(say)
            here = Installation(stack, ports)
            try:
                yield here
            finally:
                here.end()
        finally:
            stack.stop()
