"""Tests of what ops answer for reps and command: `leadbaton handoffs accept`, `pause`, `reassign` and so on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from services.cli.handoffs import app
from services.cli.leads import app as leads
from services.routing.domain.answers import HandoffMoved
from services.routing.domain.terms import UnknownReason
from shared.db.session import Sessions
from tests.builders import DEFAULT_SECTIONS, lead_qualified
from tests.services.cli.journey import hand_over
from tests.services.routing.builders import (
    announced,
    build_assigner,
    entry,
    importing,
    qualifying,
)

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("database_environment")]

ROUTING = {
    **DEFAULT_SECTIONS["routing"],
    "pause_reasons": [{"id": "on_leave", "kinds": ["first_touch"], "longest": "365d"}],
}


def ran(*arguments: str) -> Result:
    """The command's output and end."""
    return CliRunner().invoke(app, [*arguments])


def done(*arguments: str) -> str:
    """What the command prints; it must succeed."""
    result = ran(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def ada(sessions: Sessions) -> str:
    """The name of a lead that Grace holds; Linus may have it too."""
    with sessions.begin() as session:
        assigner = build_assigner(session, routing=ROUTING)
        importing(session, entry("grace"))
        qualifying(session, assigner, lead_qualified(lead="ada"))
        importing(session, entry("grace"), entry("linus"))
        return str(announced(session)[0].handoff_id)


def details(name: str) -> Any:
    return json.loads(done("show", name, "--json"))["handoff"]


def test_a_lead_is_accepted_paused_resumed_contacted_and_won_for_its_rep(ada: str) -> None:
    assert "is accepted with grace, hop 1" in done("accept", ada, "--by", "olga")
    paused = done("pause", ada, "--reason", "on_leave", "--note", "until May")
    assert ", paused until 20" in paused
    assert "paused" not in done("resume", ada)
    done("contact", ada, "--channel", "phone", "--outcome", "reached", "--at", "2026-11-18")
    assert "is won by grace" in done("win", ada, "--amount", "12.5", "--currency", "EUR")

    steps = details(ada)["history"]
    assert [it["change"] for it in steps[1:]] == [
        "accepted", "paused", "resumed", "contacted", "won",
    ]  # fmt: skip
    assert steps[1]["actor"] == "ops/olga"
    assert steps[2]["details"]["note"] == "until May"


def test_a_lead_is_lost_or_handed_back_for_its_rep(ada: str) -> None:
    assert "is assigned with linus, hop 2" in done("reject", ada, "--reason", "no_capacity")
    assert "is lost by linus" in done("lose", ada, "--reason", "price")


def test_a_reassignment_is_a_command_of_its_own(ada: str) -> None:
    moved = done("reassign", ada, "--reason", "on leave", "--by", "olga")

    assert "is assigned with linus, hop 2" in moved
    history = details(ada)["history"]
    assert [it["change"] for it in history] == ["assigned", "reassigned"]
    assert (history[-1]["actor"], history[-1]["details"]) == ("ops/olga", {"reason": "on leave"})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("accept", "--at", "yesterday"), "occurred_at"),
        (("win", "--amount", "5"), "amount and currency go together"),
        (("win", "--amount", "much", "--currency", "EUR"), "amount"),
        (("contact", "--channel", "The Phone", "--outcome", "reached"), "channel"),
        (("reassign", "--force"), "needs `to` and a `reason`"),
    ],
)
def test_options_that_say_nothing_are_refused(
    ada: str, arguments: tuple[str, ...], message: str
) -> None:
    verb, *options = arguments
    result = ran(verb, ada, *options)

    assert result.exit_code == 2
    assert message in " ".join(result.output.replace("│", " ").split())


def test_what_the_handoff_does_not_take_is_a_clear_error(ada: str) -> None:
    assert isinstance(ran("reject", ada, "--reason", "bored").exception, UnknownReason)
    done("win", ada)
    assert isinstance(ran("accept", ada).exception, HandoffMoved)


def test_a_lead_is_reopened(sessions: Sessions) -> None:
    hand_over(sessions, "ada@example.com")

    result = CliRunner().invoke(leads, ["reopen", "ada@example.com"])

    assert result.exit_code == 0, result.output
    assert "ada@example.com may qualify; its stage is qualified" in result.stdout
