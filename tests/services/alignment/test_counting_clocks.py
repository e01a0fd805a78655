"""Clocks are counted by the facts of their handoffs, whichever of the two is read or changes first."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.queries.day_counts import count_day
from services.alignment.queries.stale_days import STALE_DAYS, delete_marks, mark_days
from shared.agreement.store import Policies
from shared.contracts.payloads import Change, ClockChange
from shared.contracts.touches import TouchCause
from shared.db.session import Sessions
from tests.builders import NOON, days, sla_changed
from tests.services.alignment.builders import News, lead_touched, qualified, read, step
from tests.services.alignment.folding import check_attainment, count_all, count_days

pytestmark = pytest.mark.postgres

DUE_ON = (NOON + days(2)).date()
"""No handoff is dated on it."""
CLOCK = sla_changed(ClockChange.MET, due_on=DUE_ON)
CHANGES: dict[str, News] = {
    "another campaign": step(Change.ACCEPTED, 1, campaign="winter", sequence=2),
    "a campaign that scoring announces late": qualified(campaign="spring"),
    "another team": step(Change.REASSIGNED, 1, team="emea", sequence=2),
    "another rep": step(Change.REASSIGNED, 1, rep="linus", sequence=2),
    "another tier": step(Change.REASSIGNED, 1, tier="enterprise", sequence=2),
    "a channel": lead_touched("autumn", cause=TouchCause.QUALIFIED),
}


def is_stale(session: Session) -> bool:
    """Whether clocks that were due then are read themselves."""
    return DUE_ON in session.scalars(select(STALE_DAYS.c.day)).all()


def check(sessions: Sessions) -> None:
    with sessions() as session:
        check_attainment(session)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("policy_team", ["sales", None])
def test_a_fact_that_changes_after_its_clocks_were_counted_makes_their_day_stale(
    session: Session, change: News, policy_team: str | None
) -> None:
    read(session, step(Change.ASSIGNED), CLOCK)
    if policy_team is None:  # an older monitor did not say which team and tier a clock was about
        session.execute(text("update alignment.promises set team = null, tier = null"))
    count_all(session)
    check_attainment(session)
    assert not is_stale(session)

    read(session, change)

    assert is_stale(session)
    check_attainment(session)
    count_all(session)
    assert not is_stale(session)
    check_attainment(session)


def test_what_is_no_fact_makes_no_due_date_stale(session: Session) -> None:
    read(session, step(Change.ASSIGNED), CLOCK)
    count_all(session)

    read(session, step(Change.ACCEPTED, 1, sequence=2), step(Change.CONTACTED, 2, sequence=3))

    assert not is_stale(session)


@pytest.mark.parametrize("is_clock_first", [False, True])
@pytest.mark.parametrize("is_counted_between", [False, True])
def test_clocks_and_handoffs_are_read_in_any_order(
    session: Session, *, is_clock_first: bool, is_counted_between: bool
) -> None:
    news: list[News] = [step(Change.ASSIGNED), qualified(), lead_touched("autumn")]
    for payload in [CLOCK, *news] if is_clock_first else [*news, CLOCK]:
        read(session, payload)
        if is_counted_between:
            count_all(session)
        check_attainment(session)

    count_all(session)
    check_attainment(session)


@pytest.mark.parametrize("is_clock_first", [False, True])
@pytest.mark.parametrize("is_stored_before", [False, True])
@pytest.mark.parametrize("is_counted_between", [False, True])
def test_a_clock_and_a_fact_of_its_handoff_are_read_at_once(
    sessions: Sessions, *, is_clock_first: bool, is_stored_before: bool, is_counted_between: bool
) -> None:
    """Neither transaction sees or waits for the other."""
    if is_stored_before:
        with sessions.begin() as session:
            read(session, step(Change.ASSIGNED))
        count_days(sessions)
    change = step(Change.REASSIGNED, 1, campaign="winter", rep="linus", sequence=2)
    first, second = (CLOCK, change) if is_clock_first else (change, CLOCK)

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
        narrowed = "select sum(met) from alignment.daily_attainment where campaign = 'winter' and field = 'campaign'"
        assert session.scalar(text(narrowed)) == 1


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_fact_that_changes_while_its_due_date_is_counted_is_counted_again(
    sessions: Sessions, change: News
) -> None:
    with sessions.begin() as session:
        read(session, step(Change.ASSIGNED), CLOCK)

    with sessions.begin() as counting:
        mark_days(counting, limit=100)
        delete_marks(counting, DUE_ON)
        with sessions.begin() as session:
            read(session, change)
        check(sessions)
        count_day(counting, DUE_ON, Policies(AlignmentPolicy))
        check(sessions)

    check(sessions)
    with sessions() as session:
        assert is_stale(session)
    count_days(sessions)
    check(sessions)


@pytest.mark.parametrize("table", ["handoffs", "promises"])
def test_a_statement_by_hand_that_empties_a_table_makes_due_dates_stale(
    session: Session, table: str
) -> None:
    read(session, step(Change.ASSIGNED), CLOCK)
    count_all(session)

    session.execute(text(f"truncate alignment.{table}"))

    assert is_stale(session)
    check_attainment(session)
    count_all(session)
    check_attainment(session)
