"""Tests of `leadbaton leads`."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from services.cli.leads import app
from services.cli.people import UnreadableName
from services.scoring.handlers.reading import UnknownLead
from shared.db.session import Sessions
from tests.builders import marketing_event
from tests.services.cli.journey import hand_over
from tests.services.scoring.conftest import Worker

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("database_environment")]


def test_a_lead_is_shown_with_its_reasons_its_handoffs_and_its_promises(sessions: Sessions) -> None:
    hand_over(sessions, "ada@example.com")

    result = CliRunner().invoke(app, ["show", "Ada@Example.com"])

    assert result.exit_code == 0, result.output
    for text in ("ada@example.com", "qualified since", "demo", "email/ada@example.com"):
        assert text in result.stdout
    [handoff] = [it for it in result.stdout.splitlines() if "assigned" in it]
    assert {"grace", "sales", "standard"} <= set(handoff.split())
    [promise] = [it for it in result.stdout.splitlines() if "first_touch" in it]
    assert {"overdue", "grace"} <= set(promise.split())


def test_json_has_the_models_of_the_apis(sessions: Sessions) -> None:
    hand_over(sessions, "ada@example.com")

    result = json.loads(CliRunner().invoke(app, ["show", "ada@example.com", "--json"]).stdout)

    assert result["lead"]["email"] == "ada@example.com"
    assert result["lead"]["stage"] == "qualified"
    assert [it["rep"] for it in result["handoffs"]] == ["grace"]
    assert [it["policy"] for it in result["clocks"]] == ["first_touch"]
    assert result["clocks"][0]["handoff_id"] == result["handoffs"][0]["id"]


def test_a_lead_has_several_names(sessions: Sessions) -> None:
    hand_over(sessions, "ada@example.com")
    by_email = CliRunner().invoke(app, ["show", "ada@example.com", "--json"]).stdout
    lead_id = json.loads(by_email)["lead"]["id"]

    for name in (lead_id, "email/ada@example.com"):
        result = json.loads(CliRunner().invoke(app, ["show", name, "--json"]).stdout)
        assert result["lead"]["id"] == lead_id


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("nobody@example.com", UnknownLead),
        ("00000000-0000-0000-0000-000000000000", UnknownLead),
        ("user/website/42", UnknownLead),
        ("+491701234567", UnknownLead),
        ("Ada", UnreadableName),
        ("x" * 500 + "@example.com", UnreadableName),
    ],
)
@pytest.mark.usefixtures("sessions")
def test_a_name_that_no_lead_has_is_a_clear_error(name: str, error: type[Exception]) -> None:
    result = CliRunner().invoke(app, ["show", name])

    assert isinstance(result.exception, error)
    assert name[:30] in str(result.exception)
    assert len(str(result.exception)) < 600


def test_a_lead_is_shown_with_its_card(sessions: Sessions) -> None:
    with sessions.begin() as session:
        worker = Worker(session)
        worker.publish(lead_card={"questions": [{"field": "wish", "label": "Wish [b]"}]})
        worker.take(
            marketing_event("form", properties={"wish": "[red]Call\x1b me[/red]\nsoon"}),
            marketing_event(properties={"path": "/pricing"}),
        )

    result = CliRunner().invoke(app, ["show", "ada@example.com"])

    assert result.exit_code == 0, result.output
    lines = [" ".join(it.split()) for it in result.stdout.splitlines()]
    assert lines[lines.index("Card") + 1 :][:3] == [
        "Wish [b] [red]Call me[/red]",
        "soon",
        "Pages /pricing (1)",
    ]
