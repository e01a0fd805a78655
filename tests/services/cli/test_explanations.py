"""Tests of `leadbaton sla explain`."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import delete
from typer.testing import CliRunner, Result

from services.cli.explanations import MAX_INTERVALS, lines_of
from services.cli.sla import app
from services.routing.handlers.answers import UnknownHandoff
from services.scoring.handlers.reading import UnknownLead
from services.sla_monitor.api.explanations import (
    AttemptOut,
    EscalationStepOut,
    ExplanationOut,
    IntervalOut,
    PauseOut,
    SkippedOut,
    TermsOut,
)
from services.sla_monitor.tables import clocks
from shared.db.session import Sessions
from tests.builders import NOON, an_id
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


def test_a_handoff_without_promises_says_so(sessions: Sessions) -> None:
    hand_over(sessions, "ada@example.com")
    with sessions.begin() as session:
        [clock] = stored_clocks(session).values()
        session.execute(delete(clocks))

    assert explained(str(clock.handoff_id)).stdout == "There are no promises about this handoff.\n"


def hours_after_noon(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def eventful_explanation() -> ExplanationOut:
    """Of a promise of attempts, with one of each thing that may happen."""
    hour = IntervalOut(since=NOON, until=hours_after_noon(1), seconds=3600)
    pause = PauseOut(
        since=NOON,
        until=hours_after_noon(0.01),
        reason="on_holiday",
        actor=None,
        ended_by=None,
        seconds=36,
    )
    step = EscalationStepOut(
        at=hours_after_noon(2), step="ops", waits=False, lasts_s=0, is_done=False
    )
    attempts = [
        AttemptOut(at=NOON, actor="rep/grace", outcome=outcome, reached=outcome is None)
        for outcome in ("no_answer", None)
    ]
    return ExplanationOut.model_construct(
        id=an_id("clock"),
        rep=None,
        team="sales",
        policy="six_attempts",
        kind="attempts",
        outcome="met",
        zone="Europe/Berlin",
        terms=[TermsOut(since=NOON, agreement_version=3, calendar="office", target_s=7200)],
        due_at=hours_after_noon(3),
        intervals=[hour] * (MAX_INTERVALS + 1),
        counted_s=7200,
        pauses=[pause],
        holidays=[SkippedOut(on=date(2026, 11, 18), holiday="Repentance Day")],
        breaks=[hour],
        attempts=attempts,
        escalation_steps=[step],
        ended_at=hours_after_noon(1),
        ended_by="contacted",
        spent_s=3600,
        overdue_business_s=None,
    )


def test_what_did_not_count_and_what_happened_has_a_line_each() -> None:
    lines = list(lines_of(eventful_explanation()))

    assert lines[0] == "six_attempts (attempts) of the team sales: met"
    assert lines[2] == "  counts    2 h 0 min from Wed 18 Nov 2026 13:00:00, by office, version 3"
    assert "  counted   and 1 more" in lines
    assert lines[-8:] == [
        "  paused    Wed 18 Nov 2026 13:00:00 to Wed 18 Nov 2026 13:00:36, 36 s: on_holiday",
        "  holiday   Wed 18 Nov 2026: Repentance Day",
        "  break     Wed 18 Nov 2026 13:00:00 to 14:00:00, 1 h 0 min",
        "  attempt   Wed 18 Nov 2026 13:00:00: no_answer",
        "  attempt   Wed 18 Nov 2026 13:00:00: contact, reached",
        "  step      Wed 18 Nov 2026 15:00:00: ops",
        "  ended     Wed 18 Nov 2026 14:00:00 by contacted",
        "  spent     1 h 0 min",
    ]
