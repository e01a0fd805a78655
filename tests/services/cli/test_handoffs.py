"""Tests of `leadbaton handoffs`."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner

from services.cli.handoffs import app
from services.routing.handlers import Assigner, on_sla_changed, tick
from services.routing.handlers.answers import UnknownHandoff
from services.scoring.handlers.reading import UnknownLead
from shared.contracts.payloads import ClockChange
from shared.db.session import Sessions
from tests.builders import NOON, sla_changed, sla_message
from tests.services.cli.journey import hand_over

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("database_environment")]


def listed(*arguments: str) -> list[Any]:
    """The handoffs that the list has as JSON."""
    result = CliRunner().invoke(app, ["list", "--json", *arguments])
    assert result.exit_code == 0, result.output
    handoffs: list[Any] = json.loads(result.stdout)
    return handoffs


def test_handoffs_are_listed_by_the_names_of_people(sessions: Sessions) -> None:
    hand_over(sessions, "ada@example.com", "joan@example.com")

    result = CliRunner().invoke(app, ["list"])

    header, *rows = result.stdout.splitlines()
    assert header.split()[:4] == ["Lead", "State", "Rep", "Team"]
    assert {it.split()[0] for it in rows} == {"ada@example.com", "joan@example.com"}
    assert all("grace" in it for it in rows)


def test_the_list_is_narrowed_by_each_option(sessions: Sessions) -> None:
    qualified_at = hand_over(sessions, "ada@example.com", "joan@example.com")
    day = f"{qualified_at:%Y-%m-%d}"
    day_before = f"{qualified_at - timedelta(days=1):%Y-%m-%d}"
    instant_after = f"{qualified_at + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"

    [ada] = listed("--lead", "ada@example.com")
    assert ada["lead"]["email"] == "ada@example.com"
    for options, count in (
        (("--state", "assigned"), 2),
        (("--state", "waiting"), 0),
        (("--rep", "grace", "--team", "sales"), 2),
        (("--rep", "linus"), 0),
        (("--team", "support"), 0),
        (("--since", day, "--until", day), 2),
        (("--until", day_before), 0),
        (("--since", instant_after), 0),
        (("--limit", "1"), 1),
    ):
        assert len(listed(*options)) == count, options
    assert "no such handoffs" in CliRunner().invoke(app, ["list", "--rep", "linus"]).stdout


def test_a_date_that_is_none_says_what_to_write() -> None:
    result = CliRunner().invoke(app, ["list", "--since", "24.12.2026"])

    assert result.exit_code == 2
    assert "2026-11-18" in result.output


def test_a_handoff_is_shown_by_its_lead_and_by_the_id_that_the_list_shows(
    sessions: Sessions,
) -> None:
    hand_over(sessions, "ada@example.com")
    [handoff] = listed()
    short_id = CliRunner().invoke(app, ["list"]).stdout.split()[-1]
    assert handoff["id"].startswith(short_id)

    for name in ("ada@example.com", short_id, handoff["id"]):
        result = CliRunner().invoke(app, ["show", name])
        assert result.exit_code == 0, result.output
        for text in ("grace of sales by", "assigned", "handoff.assigned", "rep/grace", "overdue"):
            assert text in result.stdout

    details = json.loads(CliRunner().invoke(app, ["show", short_id, "--json"]).stdout)
    assert details["handoff"]["id"] == handoff["id"]
    assert details["handoff"]["decision"]["picked"] == "grace"
    assert [it["policy"] for it in details["clocks"]] == ["first_touch"]


def test_the_steps_of_ladders_are_shown_with_what_came_of_them(sessions: Sessions) -> None:
    hand_over(sessions, "ada@example.com")
    [handoff] = listed()
    step = sla_changed(
        ClockChange.ESCALATED, handoff_id=UUID(handoff["id"]), rep="grace", step="return_to_pool"
    )
    assigner = Assigner("http://127.0.0.1:8002")
    with sessions.begin() as session:
        on_sla_changed(session, [sla_message(step)], NOON, assigner=assigner)
    assert "pending" in CliRunner().invoke(app, ["show", "ada@example.com"]).stdout
    with sessions.begin() as session:
        tick(session, NOON, assigner=assigner)

    result = CliRunner().invoke(app, ["show", "ada@example.com"])

    assert result.exit_code == 0, result.output
    assert "Steps of ladders" in result.stdout
    assert "returned_to_pool" in result.stdout


def test_a_handoff_that_waits_is_shown_with_the_reasons(sessions: Sessions) -> None:
    hand_over(sessions, "ada@example.com", is_active=False)

    result = CliRunner().invoke(app, ["show", "ada@example.com"])

    assert result.exit_code == 0, result.output
    assert "no rep of sales could take it" in result.stdout
    assert "inactive (is not active)" in result.stdout
    assert "Webhooks" not in result.stdout


def test_a_handoff_that_does_not_exist_is_a_clear_error(sessions: Sessions) -> None:
    hand_over(sessions, "ada@example.com")

    for name, error in (
        ("nobody@example.com", UnknownLead),
        ("00000000-0000-0000-0000-000000000000", UnknownLead),
    ):
        assert isinstance(CliRunner().invoke(app, ["show", name]).exception, error)


def test_a_lead_without_a_handoff_is_named(sessions: Sessions) -> None:
    hand_over(sessions, "ada@example.com", event="page_viewed")

    result = CliRunner().invoke(app, ["show", "ada@example.com"])

    assert isinstance(result.exception, UnknownHandoff)
    assert "leads show ada@example.com" in str(result.exception)
