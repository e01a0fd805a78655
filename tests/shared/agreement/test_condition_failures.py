"""Failed conditions reach the database now and then, once each, and are shown while they are new."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from shared.agreement.cel.failures import Cause, Failures
from shared.agreement.condition_failures import (
    WRITE_INTERVAL,
    ConditionFailure,
    FailureLog,
    failed_since,
)
from tests.builders import NOON

pytestmark = pytest.mark.postgres

RULE = "scoring.signals.pricing.when"


def test_each_failure_is_added_once_by_every_process(session: Session) -> None:
    ours, other_failures = Failures(), Failures()
    log, other_log = FailureLog("scoring", ours), FailureLog("scoring", other_failures)
    ours.count(RULE, Cause.WORK)
    ours.count(RULE, Cause.WORK)
    other_failures.count(RULE, Cause.WORK)

    for each in (log, log, other_log):
        each.save(session, NOON)

    assert failed_since(session, NOON) == [ConditionFailure("scoring", RULE, "work", 3, NOON)]


def test_a_process_writes_only_what_is_new_and_not_at_every_event(session: Session) -> None:
    failures = Failures()
    log = FailureLog("scoring", failures)
    failures.count(RULE, Cause.ERROR)
    log.save(session, NOON)
    failures.count(RULE, Cause.ERROR)
    failures.count("routing.rules.near.match", Cause.ITERATIONS)

    log.save(session, NOON + WRITE_INTERVAL / 2)
    assert [it.failures for it in failed_since(session, NOON)] == [1]

    later = NOON + WRITE_INTERVAL
    log.save(session, later)
    log.save(session, later + WRITE_INTERVAL)
    assert failed_since(session, NOON) == [
        ConditionFailure("scoring", "routing.rules.near.match", "iterations", 1, later),
        ConditionFailure("scoring", RULE, "error", 2, later),
    ]
    assert failed_since(session, later + timedelta(seconds=1)) == []
