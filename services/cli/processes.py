"""The table of all processes: command, entry point, port."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer

from services.cli.recompute import recompute
from shared.contracts.topics import ALIGNMENT, ROUTING, SCORING, SLA
from shared.process import logs, tracing
from shared.process.settings import Settings


@dataclass(frozen=True, slots=True)
class Process:
    """One kind of process. `port` is where an API listens by default; a worker has none."""

    command: tuple[str, ...]
    entry: str
    summary: str
    port: int | None = None

    @property
    def name(self) -> str:
        """The name in logs, and of workers and containers."""
        return "-".join(self.command)

    @property
    def argv(self) -> tuple[str, ...]:
        """The command line that starts it."""
        return (sys.executable, "-m", "services.cli", *self.command)

    @property
    def health(self) -> str:
        """The path that answers 200 once it is ready."""
        return "/readyz"

    def run(self) -> None:
        """Run this process until SIGTERM."""
        module, _, function = self.entry.partition(":")
        entry: Callable[[Settings], Any] = getattr(import_module(module), function)
        settings = Settings()
        logs.configure(settings.log_level, service=self.name)
        tracing.export(self.name)
        entry(settings)


SCORING_API = Process(
    ("scoring", "api"),
    "services.scoring.main:api",
    "Takes in events; shows leads and their scores.",
    8001,
)
SCORING_WORKER = Process(
    ("scoring", "worker"), "services.scoring.main:worker", "Turns events into qualified leads."
)
ROUTING_API = Process(
    ("routing", "api"), "services.routing.main:api", "Takes the reps' answers.", 8002
)
ROUTING_WORKER = Process(
    ("routing", "worker"), "services.routing.main:worker", "Gives each qualified lead to a rep."
)
ROUTING_DELIVERY = Process(
    ("routing", "delivery"), "services.routing.main:delivery", "Sends signed webhooks to reps."
)
SLA_API = Process(
    ("sla", "api"), "services.sla_monitor.main:api", "Shows clocks and breaches.", 8003
)
SLA_WORKER = Process(
    ("sla", "worker"), "services.sla_monitor.main:worker", "Starts, pauses and stops clocks."
)
SLA_SWEEP = Process(
    ("sla", "sweep"), "services.sla_monitor.main:sweep", "Flags each clock that has run out."
)
ALIGNMENT_API = Process(
    ("alignment", "api"),
    "services.alignment.main:api",
    "Shows what became of qualified leads, for both teams.",
    8004,
)
ALIGNMENT_WORKER = Process(
    ("alignment", "worker"),
    "services.alignment.main:worker",
    "Counts what became of qualified leads.",
)
CONSOLE = Process(("console",), "services.console.main:console", "Shows it all in a browser.", 8000)
RELAY = Process(("relay",), "services.relay:relay", "Publishes what is committed, in order.")

PROCESSES = (
    RELAY,
    SCORING_API,
    SCORING_WORKER,
    ROUTING_API,
    ROUTING_WORKER,
    ROUTING_DELIVERY,
    SLA_API,
    SLA_WORKER,
    SLA_SWEEP,
    ALIGNMENT_API,
    ALIGNMENT_WORKER,
    CONSOLE,
)

CONSUMERS = {
    SCORING: SCORING_WORKER,
    ROUTING: ROUTING_WORKER,
    SLA: SLA_WORKER,
    ALIGNMENT: ALIGNMENT_WORKER,
}
"""The process that consumes for each group."""


def service_commands(name: str, *tasks: Callable[..., None]) -> typer.Typer:
    """The commands of one service: one a process, and its other tasks."""
    app = typer.Typer(no_args_is_help=True, help=f"Run a process of {name}, or a task of it.")
    for process in PROCESSES:
        if process.command[0] == name:
            app.command(process.command[-1], help=process.summary)(process.run)
    for task in tasks:
        app.command()(task)
    return app


scoring = service_commands("scoring", recompute)
routing = service_commands("routing")
alignment = service_commands("alignment")


def relay() -> None:
    """Publish what is committed, in order."""
    RELAY.run()
