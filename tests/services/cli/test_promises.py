"""Tests of `leadbaton promises`."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from typer import Typer
from typer.testing import CliRunner

from services.alignment.api.promises import GoalOut
from services.alignment.domain.periods import BadPeriod
from services.cli.promises import goal_line, promises, value_text
from shared.agreement.store import publish
from shared.clock import utc_now
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from tests.builders import DEFAULT_SECTIONS, days
from tests.services.alignment.builders import numbered, qualified, read, step
from tests.services.alignment.capacity import plan
from tests.services.alignment.capacity import read as read_plans

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("database_environment")]

PROMISES: dict[str, Any] = {
    "marketing": [
        {"id": "leads", "measure": "qualified", "per": "month", "at_least": 10_000},
        {"id": "fast", "measure": "handover_time", "p": 0.95, "at_most": "5m"},
    ],
    "sales": [{"id": "room", "measure": "capacity", "per": "month", "at_least": 400}],
}
MONEY = {
    "currency": "EUR",
    "quota": {"amount": 9_000_000, "per": "quarter", "marketing_share": 1},
    "value": [{"when": True, "close_rate": 0.1, "average_deal": 1_000}],
}

app = Typer()
app.command()(promises)


def publish_agreement(sessions: Sessions, **sections: Any) -> None:
    with sessions.begin() as session:
        source = json.dumps({**DEFAULT_SECTIONS, **sections})
        publish(session, source, by="test", now=utc_now() - days(1))


def output(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.stdout


def test_each_promise_has_a_row_and_the_goal_a_sentence(sessions: Sessions) -> None:
    publish_agreement(sessions, promises=PROMISES, money=MONEY)
    with sessions.begin() as session:
        read(session, qualified(at=utc_now()), *numbered(step(Change.ASSIGNED)))

    text = output()

    assert "agreement version 1" in text
    leads, fast, room = (
        next(line for line in text.splitlines() if f" {id} " in line)
        for id in ("leads", "fast", "room")
    )
    assert "at least 10,000 leads per month" in leads
    assert "too few (1)" in fast
    assert room.rstrip().endswith("unknown")
    assert "room: routing has announced nothing" in text
    assert "leads: the quota takes 30,000 leads per month" in text
    assert "÷ 10.0 % close rate = 90,000 qualified leads" in text


def test_a_promise_that_is_kept_by_what_is_known_says_the_least_and_why(sessions: Sessions) -> None:
    publish_agreement(sessions, promises=PROMISES)
    with sessions.begin() as session:
        read_plans(session, plan(leads=100, at=utc_now().replace(day=1), unlimited=1))

    text = output()

    [room] = [it for it in text.splitlines() if " room " in it]
    assert re.search(r"at least [23],\d00 leads", room)
    assert room.rstrip().endswith("on track")
    assert "room: reps without a limit a day" in text


def test_who_agreed_stands_above_the_promises(sessions: Sessions) -> None:
    parties = {
        "marketing": {"owner": "Dana [red]Ruiz[/]", "signed_on": "2026-11-02"},
        "effective": {"from": "2026-11-01", "until": "2027-01-31"},
    }
    publish_agreement(sessions, promises=PROMISES, parties=parties)

    text = output()

    assert "marketing: Dana [red]Ruiz[/], signed on 2026-11-02; sales: nobody is named" in text
    assert "It holds until 2027-01-31." in text


def test_who_has_not_signed_is_said(sessions: Sessions) -> None:
    publish_agreement(sessions, promises=PROMISES, parties={"sales": {"owner": "Felix Brandt"}})

    assert "sales: Felix Brandt, not signed." in output()


def test_promises_as_json_are_those_of_the_api(sessions: Sessions) -> None:
    publish_agreement(sessions, promises=PROMISES)

    report = json.loads(output("--json", "--period", "2026-11"))

    assert [it["id"] for it in report["items"]] == ["leads", "fast", "room"]
    assert (report["since"], report["until"]) == ("2026-11-01", "2026-11-30")


def test_without_promises_it_says_what_to_write(sessions: Sessions) -> None:
    assert "No agreement was in force" in output("--period", "2020-01")

    publish_agreement(sessions)

    assert "has no promises" in output()


@pytest.mark.parametrize("period", ["yesterday", "2026-13", "x" * 1_000])
def test_a_period_that_is_none_is_refused(sessions: Sessions, period: str) -> None:
    result = CliRunner().invoke(app, ["--period", period])

    assert isinstance(result.exception, BadPeriod)
    assert sessions is not None


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.954, "share", "95.4 %"),
        (300.0, "seconds", "300 s"),
        (1234.5, "EUR", "1,234.50 EUR"),
        (12.0, "leads", "12 leads"),
    ],
)
def test_values_are_shown_in_their_units(value: float, unit: str, text: str) -> None:
    assert value_text(value, unit) == text


def test_a_goal_without_rates_says_what_is_missing() -> None:
    goal = GoalOut(
        per="month", currency="EUR", revenue=1, average_deal=None, close_rate=None,
        customers=None, leads_needed=None, leads=0,
    )  # fmt: skip

    assert "is not known" in goal_line(goal)
