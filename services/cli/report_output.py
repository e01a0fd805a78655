"""Prints the sections of a report in a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from services.console.report.sections import Section
from shared.terminal import printable


def print_section(terminal: Console, section: Section) -> None:
    """Print the title, what is counted, and the table, or the sentence in its place."""
    terminal.print()
    terminal.print(Text(section.title, style="bold"))
    if section.gap:
        terminal.print(section.gap, soft_wrap=True)
        return
    if section.note:
        terminal.print(Text(printable(section.note), style="dim"))
    if section.rows:
        terminal.print(_table(section))
        return
    terminal.print(section.empty, soft_wrap=True)
    if section.command:
        terminal.print(f"  {section.command}")


def _table(section: Section) -> Table:
    columns = [
        Column(it.title, justify="right" if it.is_number else "left", overflow="fold")
        for it in section.columns
    ]
    table = Table(*columns, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for row in section.rows:
        table.add_row(*(it.text for it in row))
    return table
