"""`leadbaton dead` shows the dead letters and puts them back."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner, Result

from services.cli.dead import app
from shared.db.session import Sessions
from shared.messaging import dead_letters, outbox
from tests.shared.messaging.test_dead_letters import dead_letter

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("database_environment")]


def dead(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def add_dead_letters(sessions: Sessions) -> list[int]:
    with sessions.begin() as session:
        dead_letters.add(
            session,
            "leadbaton.sla",
            [
                dead_letter(1),
                dead_letter(2, code="handler_failed"),
                dead_letter(3, topic="sla.changed"),
            ],
        )
        return sorted(it.id for it in dead_letters.latest(session))


def test_a_list_shows_where_each_record_lay_and_why_it_failed(sessions: Sessions) -> None:
    add_dead_letters(sessions)
    listed = dead("list")
    assert listed.exit_code == 0
    for text in ("leads.qualified / 2 / 1", "unknown_version", "handler_failed", "it says v9"):
        assert text in listed.output


def test_a_list_can_be_narrowed(sessions: Sessions) -> None:
    add_dead_letters(sessions)
    assert "handler_failed" not in dead("list", "--topic", "sla.changed").output
    assert "sla.changed" not in dead("list", "--code", "handler_failed").output


def test_that_there_are_no_dead_letters_is_printed() -> None:
    assert "There are no dead letters" in dead("list").output


def test_letters_are_put_back_once(sessions: Sessions) -> None:
    first, second, third = add_dead_letters(sessions)

    assert dead("replay", str(first)).output.strip() == f"put back: {first}"
    assert dead("replay", str(first)).output.strip() == "put back: nothing"
    assert dead("replay", "--topic", "sla.changed").output.strip() == f"put back: {third}"
    assert dead("replay", "--all").output.strip() == f"put back: {second}"

    with sessions() as session:
        topics = [row.record.topic for row in outbox.unpublished(session, limit=10)]
    assert topics[3:] == ["leads.qualified", "sla.changed", "leads.qualified"]
    assert f"{first}" in dead("list").output


@pytest.mark.parametrize(
    "arguments",
    [(), ("1", "--all"), ("--topic", "sla.changed", "--all")],
    ids=["nothing", "ids and all", "a topic and all"],
)
def test_replay_takes_exactly_one_selection(arguments: tuple[str, ...]) -> None:
    refused = dead("replay", *arguments)
    assert refused.exit_code == 2
    assert "--topic" in refused.output
