"""Tests of `leadbaton breaches`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from services.cli.breaches import app
from shared.db.session import Sessions
from tests.services.cli.journey import hand_over

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("database_environment")]


def listed(*arguments: str) -> list[Any]:
    """The breaches that the command lists as JSON."""
    result = CliRunner().invoke(app, ["--json", *arguments])
    assert result.exit_code == 0, result.output
    clocks: list[Any] = json.loads(result.stdout)
    return clocks


def test_a_breach_names_the_lead_the_rep_and_how_long_it_is_overdue(sessions: Sessions) -> None:
    hand_over(sessions, "ada@example.com")

    result = CliRunner().invoke(app, [])

    header, row = result.stdout.splitlines()
    assert header.split() == [
        *("Lead", "Promise", "State", "Rep", "Team", "Due", "Overdue", "Clock", "Acknowledged")
    ]
    assert row.split()[:5] == ["ada@example.com", "first_touch", "overdue", "grace", "sales"]
    assert " d " in row


def test_the_list_is_narrowed_by_each_option(sessions: Sessions) -> None:
    hand_over(sessions, "ada@example.com", "joan@example.com")

    [ada, _] = sorted(listed(), key=lambda it: it["lead_email"])
    assert (ada["lead_email"], ada["state"], ada["policy"]) == (
        "ada@example.com",
        "running",
        "first_touch",
    )
    due_on = ada["due_at"][:10]
    for options, count in (
        (("--team", "sales", "--rep", "grace", "--tier", "standard"), 2),
        (("--rep", "linus"), 0),
        (("--source", "nowhere"), 0),
        (("--campaign", "none"), 0),
        (("--all",), 2),
        (("--since", due_on, "--until", due_on), 2),
        (("--until", "2020-01-01"), 0),
        (("--limit", "1"), 1),
    ):
        assert len(listed(*options)) == count, options
    assert "no such breaches" in CliRunner().invoke(app, ["--rep", "linus"]).stdout


def test_a_breach_is_acknowledged_by_the_first_digits_of_its_id(sessions: Sessions) -> None:
    hand_over(sessions, "ada@example.com", "joan@example.com")
    [first, _] = listed()

    result = CliRunner().invoke(
        app, ["acknowledge", first["id"][:8], "--note", "called her", "--by", "maria"]
    )

    assert result.exit_code == 0, result.output
    assert "by ops/maria: called her" in result.stdout
    [known] = listed("--acknowledged")
    assert (known["id"], known["acknowledged_by"], known["note"]) == (
        first["id"],
        "ops/maria",
        "called her",
    )
    assert [it["id"] for it in listed("--not-acknowledged")] != [first["id"]]
    assert "ops/maria: called her" in CliRunner().invoke(app, []).stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["acknowledge", "ffffffff", "--note", "x"],
            "no clock has an id that begins with ffffffff",
        ),
        (["acknowledge", "ada", "--note", "x"], "no clock has an id that begins with ada"),
        (["acknowledge", "ffffffff", "--note", ""], "write 1 to 500 characters"),
        (["acknowledge", "ffffffff"], "--note"),
    ],
    ids=["unknown", "no id", "empty note", "no note"],
)
def test_what_cannot_be_acknowledged_is_named(
    sessions: Sessions, arguments: list[str], words: str
) -> None:
    hand_over(sessions, "ada@example.com")
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code != 0
    assert words in f"{result.output} {result.exception}"
