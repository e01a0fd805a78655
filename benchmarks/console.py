"""The console with many handoffs and many viewers: memory, change to screen, pages, search, counts, bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated

import typer

from benchmarks.board.pages import first_page, page_times, statements
from benchmarks.board.site import Site, running_site
from benchmarks.board.viewers import watched
from benchmarks.machine import Figure, print_figures, print_machine, print_markdown


def measured(site: Site, *, viewers: int, seconds: int, times: int) -> Iterator[Figure]:
    """All lines of the table."""
    yield first_page(site)
    yield from page_times(site, times=times)
    yield from statements(site, times=times)
    yield from asyncio.run(watched(site, viewers, seconds=seconds))


def main(
    handoffs: Annotated[int, typer.Option(min=2_000, help="How many handoffs.")] = 1_000_000,
    viewers: Annotated[int, typer.Option(min=1, help="Who look at the board at once.")] = 500,
    seconds: Annotated[int, typer.Option(min=1, help="How long changes come in.")] = 20,
    times: Annotated[int, typer.Option(min=2, help="How often each page is opened.")] = 100,
) -> None:
    """Measure, print, and exit with 1 if a line is not held."""
    print_machine()
    with running_site(handoffs) as site:
        figures = list(measured(site, viewers=viewers, seconds=seconds, times=times))
    failed = print_figures(f"Console: {handoffs:,} handoffs, {viewers:,} viewers", figures)
    print_markdown(figures)
    raise typer.Exit(failed)


if __name__ == "__main__":
    typer.run(main)
