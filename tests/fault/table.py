"""The table of a run: each fault with its losses, pauses and times to recover."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fault.stream import EVENTS, SEED, STEPS

FILE = "LEADBATON_FAULT_TABLE"
"""The environment variable with the path of the table's file."""
HEAD = "| fault | times | events lost | events doubled | longest pause | time to recover |"


@dataclass(frozen=True)
class Line:
    """One fault."""

    fault: str
    times: int
    lost: int
    doubled: int
    longest_pause_s: float | None = None
    recover_s: Sequence[float] = ()
    limit_s: float | None = None
    """The limit of the longest of these times."""

    def __str__(self) -> str:
        pause = "-" if self.longest_pause_s is None else f"{self.longest_pause_s:.1f} s"
        return (
            f"| {self.fault} | {self.times} | {self.lost} | {self.doubled} | {pause} "
            f"| {_spread(self.recover_s)}{self._limit()} |"
        )

    def _limit(self) -> str:
        if self.limit_s is None:
            return ""
        held = "held" if max(self.recover_s) <= self.limit_s else "**not held**"
        return f" (limit {self.limit_s:.1f} s: {held})"


def _spread(seconds: Sequence[float]) -> str:
    if not seconds:
        return "-"
    if len(seconds) == 1:
        return f"{seconds[0]:.1f} s"
    middle = sorted(seconds)[len(seconds) // 2]
    return f"{middle:.1f} s, at most {max(seconds):.1f} s"


def table(lines: Sequence[Line]) -> str:
    """The table in Markdown, below a line on the machine."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    return "\n".join(
        [
            f"At least {EVENTS:,} events of {EVENTS // STEPS:,} people in each line, seed {SEED}; {machine},",
            "which also carry the servers, the senders and the receiver of the webhooks.",
            "",
            HEAD,
            "| --- | ---: | ---: | ---: | ---: | --- |",
            *map(str, lines),
            "",
        ]
    )


def write(lines: Sequence[Line]) -> None:
    """Write the page to the file that the environment names, if it names one."""
    if name := os.environ.get(FILE):
        Path(name).write_text(f"{INTRODUCTION}\n{table(lines)}")


INTRODUCTION = """# Faults

This page is written by `make fault`. A stream of events goes through the HTTP API into all processes, on Apache Kafka
and PostgreSQL, while faults are injected; afterwards the results are compared with those of an undisturbed run.

- *Lost*: accepted events that are not in the ledger. *Doubled*: events that a score counts more often than once.
- *Longest pause*: the longest time in which nothing got into the ledger, the fault's own length included.
- *Time to recover*: from the kill, or from the end of the outage, until the same work is done again (median, maximum).
- *Limit* of kills: 2 s, or what a bare Python process takes to start and import the clients, where that is longer.

In every line, too: each score equals that of the undisturbed run to 1e-9; what qualified is assigned, waiting or
closed; no lead has two live handoffs; every assignment and breach arrived under one webhook id; every due promise fired
once, dated to the instant at which it was due; each team's funnel and broken promises, as alignment reports them, are
what routing and the SLA monitor count.

In the lines of ladders and re-routes, too: each step is taken once, each handoff has every hop once, and each hop and
each loss of one is announced to its rep under one webhook id.
"""
