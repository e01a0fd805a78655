"""Tests that texts cannot control the terminal."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from shared.terminal import Terminal, printable


def output(*cells: str) -> str:
    """The output for a table with these cells, and for the first cell alone."""
    terminal = Terminal()
    terminal.file = io.StringIO()
    terminal.width = 200
    table = Table("first", "second")
    table.add_row(*cells)
    terminal.print(table)
    terminal.print(cells[0])
    return terminal.file.getvalue()


@pytest.mark.parametrize(
    "text",
    ["[/x]", "[bold]", "[link=http://x]y[/link]", "[[", ":smile:", "a\\[b", "[red", "Ada [CEO]"],
)
def test_markup_of_others_is_text(text: str) -> None:
    assert output(text, "b").count(text) == 2


@given(st.text(max_size=40), st.text(max_size=40))
def test_nothing_that_others_write_ends_a_command_or_commands_the_terminal(a: str, b: str) -> None:
    text = output(a, b)

    assert not set(text) & set("\x00\x07\x08\x1b\x7f\x9b\u202e")
    text.encode()


def test_lines_and_letters_of_all_scripts_stay() -> None:
    assert printable("Zoë\n\tعربي 日本 🎉") == "Zoë\n\tعربي 日本 🎉"
    assert printable("\x1b[2J\ud83d") == "\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}"
