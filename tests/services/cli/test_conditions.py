"""The doctor names conditions that failed lately, and why."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from services.cli.conditions import conditions
from shared.agreement.cel.failures import Cause, Failures
from shared.agreement.condition_failures import FailureLog
from shared.clock import utc_now
from shared.process.findings import fine

NONE_FAILED = fine("conditions", "none failed in the last day")


@pytest.mark.postgres
def test_conditions_that_failed_lately_are_named_with_their_cause(session: Session) -> None:
    failures, now = Failures(), utc_now()
    for number in range(7):
        failures.count(f"scoring.signals.{number}.when", Cause.WORK)
    assert conditions(session, now) == NONE_FAILED

    FailureLog("scoring", failures).save(session, now)

    soon = conditions(session, now + timedelta(seconds=30))
    assert soon.ok is None
    assert soon.detail.startswith(
        "scoring.signals.0.when failed 1 times in scoring (work), last 30 s ago; "
    )
    assert soon.detail.endswith("; and 2 more")
    assert "docs/troubleshooting.md" in soon.remedy
    assert conditions(session, now + timedelta(days=2)) == NONE_FAILED
