"""Tests of `leadbaton sla explain`."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner, Result

from services.cli.sla import app
from services.routing.handlers.answers import UnknownHandoff
from services.scoring.handlers.reading import UnknownLead
from shared.db.session import Sessions
from tests.services.cli.journey import hand_over
from tests.services.sla_monitor.builders import stored_clocks

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("database_environment")]


def explained(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["explain", *arguments])


def test_a_promise_is_explained_by_the_hours_that_counted(sessions: Sessions) -> None:
    hand_over(sessions, "ada@example.com")

    result = explained("ada@example.com")

    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "first_touch (first_touch) of grace: overdue"
    words = {line.split()[0] for line in lines[1:] if line}
    assert {"clock", "counts", "due", "counted", "sum", "step", "spent", "overdue"} <= words


def test_ids_of_clocks_and_handoffs_do_as_well_as_the_address(sessions: Sessions) -> None:
    hand_over(sessions, "ada@example.com")
    with sessions() as session:
        [clock] = stored_clocks(session).values()
    names = ("ada@example.com", str(clock.id), clock.id.hex[:12], str(clock.handoff_id))
    for name in names:
        [explanation] = json.loads(explained(name, "--json").stdout)
        assert explanation["id"] == str(clock.id)
        assert explanation["counted_s"] == explanation["target_s"]
        assert [it["agreement_version"] for it in explanation["terms"]] == [1]


def test_an_unknown_name_is_refused(sessions: Sessions) -> None:
    hand_over(sessions, "ada@example.com")
    for name in ("nobody@example.com", "ffffffffffff", "'; drop table x"):
        assert explained(name).exit_code == 1
    assert isinstance(explained("nobody@example.com").exception, UnknownLead | UnknownHandoff)
