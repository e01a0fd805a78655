"""The parts of every benchmark: the machine, a PostgreSQL of its own, the table of figures."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from shared.db.migrate import upgrade
from shared.db.session import engine_for
from shared.embedded.postgres import PostgresServer, binaries, free_port
from tests.kafka.server import POM

GIB = 1024**3
DATABASE = "leadbaton"

console = Console(width=120) if not os.isatty(1) else Console()


def memory_bytes() -> int:
    """The size of the machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def tuned() -> tuple[str, ...]:
    """PostgreSQL's options for this machine by its manual; every commit is on disk before it is answered."""
    settings = {
        "shared_buffers": f"{memory_bytes() // 4 // 1024**2}MB",
        "effective_cache_size": f"{memory_bytes() // 2 // 1024**2}MB",
        "maintenance_work_mem": "512MB",
        "work_mem": "16MB",
        "max_wal_size": "8GB",
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "jit": "off",
        "max_connections": "200",
        "fsync": "on",
        "synchronous_commit": "on",
        "track_commit_timestamp": "on",  # lateness is measured to the commit
    }
    return tuple(f"-c {name}={value}" for name, value in settings.items())


@contextmanager
def postgres(*options: str) -> Iterator[PostgresServer]:
    """A tuned, durable server with a migrated database, in a directory that is deleted after the block."""
    with tempfile.TemporaryDirectory(prefix="leadbaton-bench-") as directory:
        server = PostgresServer(Path(directory) / "postgres", free_port(), (*tuned(), *options))
        server.start()
        try:
            _migrate(server)
            yield server
        finally:
            server.stop("immediate")


def _migrate(server: PostgresServer) -> None:
    maker = engine_for(server.url("postgres")).execution_options(isolation_level="AUTOCOMMIT")
    with maker.connect() as connection:
        connection.execute(text(f'create database "{DATABASE}"'))
    maker.dispose()
    engine = engine_for(server.url(DATABASE))
    upgrade(engine)
    engine.dispose()


@dataclass(frozen=True, slots=True)
class Figure:
    """One line: the measured value, the floor beside it, the expectation, and whether it holds.

    `ratio` is the part of the floor's speed that is reached: 1 is as fast as the floor, 0.5 takes twice as long.
    """

    name: str
    measured: str
    floor: str = ""
    ratio: float | None = None
    expected: str = ""
    held: bool = True


def takes(
    name: str, measured_s: float, *, at_most_s: float | None = None, floor_s: float | None = None
) -> Figure:
    """A time: the shorter the better."""
    return Figure(
        name,
        time_of(measured_s),
        "" if floor_s is None else time_of(floor_s),
        None if floor_s is None else floor_s / measured_s,
        "" if at_most_s is None else f"≤ {time_of(at_most_s)}",
        at_most_s is None or measured_s <= at_most_s,
    )


def does(
    name: str,
    measured: float,
    *,
    unit: str = "/s",
    at_least: float | None = None,
    floor: float | None = None,
    ratio_at_least: float | None = None,
) -> Figure:
    """A rate: the higher the better, as such or beside its floor."""
    ratio = None if floor is None else measured / floor
    expected = [f"≥ {at_least:,.0f}{unit}"] if at_least is not None else []
    expected += [f"ratio ≥ {ratio_at_least:g}"] if ratio_at_least is not None else []
    return Figure(
        name,
        f"{measured:,.0f}{unit}",
        "" if floor is None else f"{floor:,.0f}{unit}",
        ratio,
        ", ".join(expected),
        measured >= (at_least or 0) and (ratio or 0) >= (ratio_at_least or 0),
    )


def counts(name: str, measured: int, *, expected: int) -> Figure:
    """A number that must equal `expected`."""
    return Figure(name, f"{measured:,}", expected=f"{expected:,}", held=measured == expected)


def time_of(seconds: float) -> str:
    """A time with a unit that fits its size."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.1f} µs"
    return f"{seconds * 1e3:.2f} ms" if seconds < 1 else f"{seconds:.2f} s"


def print_machine() -> None:
    """Print the machine and the versions of the servers."""
    console.print(
        f"{os.cpu_count()} cores of {_cpu()}, {memory_bytes() / GIB:.0f} GiB, "
        f"{platform.system()} {platform.release()}"
    )
    console.print(
        f"Python {platform.python_version()}, {_postgres()}, Apache Kafka {_kafka()}, "
        f"kafka-python {version('kafka-python')}"
    )


def _cpu() -> str:
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text().splitlines() if cpus.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _postgres() -> str:
    completed = subprocess.run(
        [str(binaries() / "postgres"), "--version"], check=True, capture_output=True, text=True
    )
    return completed.stdout.strip()


def _kafka() -> str:
    """The version of the server that benchmarks run."""
    [number] = re.findall(r"kafka_2\.13</artifactId>\s*<version>([^<]+)", POM.read_text())
    return str(number)


def print_figures(title: str, figures: Sequence[Figure]) -> int:
    """Print the table; returns the exit status, 1 if a line does not hold."""
    table = Table(title=title, title_justify="left")
    table.add_column("figure")
    for heading in ("measured", "floor of this run", "ratio", "expected"):
        table.add_column(heading, justify="right")
    table.add_column("held?")
    for figure in figures:
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        held = ("yes" if figure.expected else "") if figure.held else "[bold red]NO[/]"
        table.add_row(figure.name, figure.measured, figure.floor, ratio, figure.expected, held)
    console.print(table)
    return int(not all(it.held for it in figures))


def print_markdown(figures: Sequence[Figure]) -> None:
    """Print the figures as rows of a table in Markdown."""
    for figure in figures:
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        cells = (figure.name, figure.measured, figure.floor, ratio, figure.expected)
        console.print(
            "| " + " | ".join(cells) + " |", markup=False, highlight=False, soft_wrap=True
        )
