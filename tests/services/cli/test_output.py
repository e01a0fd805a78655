"""Tests of what commands print."""

from __future__ import annotations

import pytest

from services.cli.output import plain_table, print_json
from shared.terminal import Terminal


def test_a_value_that_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        print_json({"value": object()})


def test_a_table_cuts_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    table = plain_table(*("Lead" for _ in range(8)))
    emails = [f"somebody.{number}@customer.example.com" for number in range(8)]
    table.add_row(*emails)

    Terminal().print(table)

    printed = capsys.readouterr().out
    assert "\u2026" not in printed
    assert sum(printed.count(digit) for digit in "01234567") == 8


def test_a_column_that_is_unbroken_keeps_its_width_while_others_give_theirs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    table = plain_table("Lead", "State", "Rep", "Due", "For", unbroken=["Due", "For"])
    table.add_row(
        "somebody.with.a.long.name@customer.example.com",
        "accepted",
        "ada_with_a_long_id_too",
        "2026-11-18 12:00",
        "12 d 23 h",
    )

    Terminal().print(table)

    assert "2026-11-18 12:00  12 d 23 h" in capsys.readouterr().out
