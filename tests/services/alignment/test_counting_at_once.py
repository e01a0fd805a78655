"""Counting beside transactions that change handoffs: no change is lost, and no report is wrong meanwhile."""

from __future__ import annotations

from threading import Event

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.alignment.counting import count_stale_days
from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.handlers.counting import count_oldest_day
from services.alignment.queries.day_counts import count_day
from services.alignment.queries.stale_days import delete_marks, lock_counting
from shared.agreement.store import Policies
from shared.contracts.payloads import Change, ClockChange
from shared.db.session import Sessions
from tests.builders import NOON, days, sla_changed
from tests.services.alignment.builders import News, qualified, read, step
from tests.services.alignment.folding import check_all, count_all, count_days

pytestmark = pytest.mark.postgres

TODAY = NOON.date()
CHANGES: dict[str, list[News]] = {
    "a new lead": [qualified("linus")],
    "an answer": [step(Change.ACCEPTED, 1, sequence=2)],
    "another campaign": [step(Change.ASSIGNED, campaign="winter", sequence=3)],
    "another team and rep": [step(Change.REASSIGNED, 1, team="emea", rep="linus", sequence=2)],
    "a promise": [sla_changed(ClockChange.BREACHED)],
    "a promise that is due": [sla_changed(ClockChange.BREACHED, policy="accept", due_on=TODAY)],
    "a lead that qualifies again": [qualified("grace", qualification=2, at=NOON + days(3))],
    "and is accepted": [step(Change.ACCEPTED, 5000, lead="grace", qualification=2)],
    "a promise and its handoff": [sla_changed(ClockChange.MET, lead="linus"), step(Change.ASSIGNED, lead="linus")],
}  # fmt: skip


@pytest.fixture
def read_once(sessions: Sessions) -> Sessions:
    """A lead that is assigned, with a promise that is due, and one that is recycled, on a stale day."""
    with sessions.begin() as session:
        read(session, step(Change.ASSIGNED), sla_changed(ClockChange.MET, due_on=TODAY))
        read(session, step(Change.RETURNED, lead="grace", recycle=True))
    return sessions


def check(sessions: Sessions) -> None:
    with sessions() as session:
        check_all(session)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_what_commits_while_its_day_is_counted_is_counted_again(
    read_once: Sessions, change: list[News]
) -> None:
    with read_once.begin() as counting:
        delete_marks(counting, TODAY)
        with read_once.begin() as session:
            read(session, *change)
        check(read_once)
        count_day(counting, TODAY, Policies(AlignmentPolicy))
        check(read_once)

    check(read_once)
    with read_once.begin() as session:
        assert count_all(session) > 0
    check(read_once)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_what_was_begun_before_its_day_was_counted_is_counted_after_it(
    read_once: Sessions, change: list[News]
) -> None:
    with read_once.begin() as session:
        read(session, *change)
        with read_once.begin() as counting:
            assert count_oldest_day(counting, Policies(AlignmentPolicy))
        check(read_once)

    check(read_once)
    with read_once.begin() as session:
        assert count_all(session) > 0
    check(read_once)


@pytest.mark.parametrize("is_promise_first", [False, True])
@pytest.mark.parametrize("is_counted_between", [False, True])
def test_a_promise_and_the_first_change_of_its_handoff_are_read_at_once(
    sessions: Sessions, *, is_promise_first: bool, is_counted_between: bool
) -> None:
    """Neither transaction sees or waits for the other."""
    change, promise = step(Change.ASSIGNED), sla_changed(ClockChange.MET)
    first, second = (promise, change) if is_promise_first else (change, promise)

    with sessions.begin() as session:
        read(session, first)
        with sessions.begin() as second_session:
            read(second_session, second)
        if is_counted_between:
            count_days(sessions)
        check(sessions)

    check(sessions)
    count_days(sessions)
    check(sessions)
    with sessions() as session:
        assert (
            session.scalar(
                text("select sum(met) from alignment.daily_tallies where field = 'team'")
            )
            == 1
        )


def test_a_crash_while_a_day_is_counted_leaves_it_stale(read_once: Sessions) -> None:
    with read_once() as session:
        assert count_oldest_day(session, Policies(AlignmentPolicy))
        session.rollback()

    check(read_once)
    with read_once.begin() as session:
        assert count_oldest_day(session, Policies(AlignmentPolicy))


def test_two_processes_do_not_count_at_once(read_once: Sessions) -> None:
    with read_once.begin() as first:
        assert count_oldest_day(first, Policies(AlignmentPolicy))
        with read_once.begin() as second:
            read(second, qualified("linus"))
            assert not count_oldest_day(second, Policies(AlignmentPolicy))

    with read_once.begin() as second:
        assert count_oldest_day(second, Policies(AlignmentPolicy))
    check(read_once)


def test_counting_ends_when_it_is_asked_to_and_says_how_many_days_are_stale(
    read_once: Sessions,
) -> None:
    stop = Event()
    stop.set()
    count_stale_days(read_once, Policies(AlignmentPolicy), stop)
    with read_once() as session:
        assert is_stale(session)

    count_stale_days(read_once, Policies(AlignmentPolicy), Event())
    with read_once() as session:
        assert not is_stale(session)
    assert gauge("stale_days") == gauge("stale_since_timestamp_seconds") == 0

    with read_once.begin() as session:
        read(session, qualified("linus"))
    with read_once.begin() as session:
        assert lock_counting(session)
        count_stale_days(read_once, Policies(AlignmentPolicy), Event())
    assert gauge("stale_days") == 1
    assert (gauge("stale_since_timestamp_seconds") or 0) > 0


def gauge(name: str) -> float | None:
    return REGISTRY.get_sample_value(f"leadbaton_alignment_{name}")


def is_stale(session: Session) -> bool:
    return bool(session.scalar(text("select exists (select from alignment.stale_days)")))
