"""The SLA monitor with millions of clocks: lateness, bursts, reads, and clocks lost or doubled."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterator

from sqlalchemy import Engine

from benchmarks.clocks import firing
from benchmarks.clocks.load import load
from benchmarks.clocks.reading import calendar_adds, reads
from benchmarks.machine import Figure, console, postgres, print_figures, print_machine
from shared.db.session import engine_for


def main() -> int:
    """Measure and print; returns 1 if a line does not hold."""
    parser = ArgumentParser(prog="python -m benchmarks.sla", description=__doc__)
    parser.add_argument("--open", type=int, default=1_000_000, help="open clocks")
    parser.add_argument("--closed", type=int, default=3_000_000, help="closed clocks")
    parser.add_argument("--burst", type=int, help="due at one instant; a tenth of those open")
    parser.add_argument("--seconds", type=int, default=15, help="how long clocks fall due steadily")
    arguments = parser.parse_args()
    burst = arguments.burst or arguments.open // 10

    print_machine()
    with postgres() as server:
        engine = engine_for(server.url())
        load(engine, open_=arguments.open, closed=arguments.closed)
        figures = []
        for figure in _figures(engine, burst=burst, seconds=arguments.seconds):
            console.print(f"[dim]{figure.name}: {figure.measured}[/]")
            figures.append(figure)
        engine.dispose()
    return print_figures(
        f"SLA monitor: {arguments.open:,} open and {arguments.closed:,} closed clocks", figures
    )


def _figures(engine: Engine, *, burst: int, seconds: int) -> Iterator[Figure]:
    yield calendar_adds()
    yield from reads(engine)
    yield from firing.lateness(engine, seconds)
    yield from firing.burst(engine, burst, sweepers=2)
    yield from firing.killed(engine, burst // 2)


if __name__ == "__main__":
    sys.exit(main())
