"""A night has one recount, whoever begins it, is stopped at it, or goes on with it."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Event

import pytest

from services.alignment.domain.recounts import Recount, after_date, recount_at
from services.alignment.queries.recounts import find_recount
from services.alignment.recount import recount
from services.alignment.upkeep import keep_up
from shared.db.session import Sessions
from tests.builders import NOON, days
from tests.seeds import random_of
from tests.services.alignment.builders import random_news, read
from tests.services.alignment.test_upkeep import count, is_right

EVENING = NOON + timedelta(hours=10)


def test_a_night_is_recounted_once_and_one_that_was_left_is_gone_on_with() -> None:
    begun = recount_at(NOON, None)
    assert begun is not None
    assert not begun.is_finished
    assert recount_at(NOON, begun) == begun

    finished = begun._replace(next_on=begun.last_on + timedelta(days=1), finished_at=NOON)
    assert recount_at(NOON, finished) is None

    after = recount_at(EVENING + days(1), finished)
    assert after is not None
    assert after.finished_at == NOON
    assert after.night == NOON.date() + timedelta(days=1)


def test_the_last_date_finishes_a_recount() -> None:
    begun = recount_at(NOON, None)
    assert begun is not None
    last = begun._replace(next_on=begun.last_on)

    after = after_date(last, handoffs=3, differences=1, now=EVENING)

    assert (after.handoffs, after.differences, after.finished_at) == (3, 1, EVENING)


@pytest.fixture
def counted(sessions: Sessions) -> Sessions:
    """Ten leads with what became of them."""
    chance = random_of(4)
    with sessions.begin() as session:
        read(session, *(it for number in range(10) for it in random_news(chance, f"lead {number}")))
    return sessions


def last_recount(sessions: Sessions) -> Recount | None:
    with sessions() as session:
        return find_recount(session)


@pytest.mark.postgres
def test_a_recount_that_is_stopped_is_finished_by_the_next_process(counted: Sessions) -> None:
    stop = Event()
    stop.set()
    recount(counted, lambda: NOON, stop)
    begun = last_recount(counted)
    assert begun is not None
    assert not begun.is_finished

    recount(counted, lambda: NOON, Event())
    finished = last_recount(counted)
    assert finished is not None
    assert finished.is_finished
    assert finished.handoffs > 0

    recount(counted, lambda: NOON, Event())
    assert last_recount(counted) == finished


@pytest.mark.postgres
def test_a_date_that_another_process_has_counted_meanwhile_is_counted_once(
    counted: Sessions,
) -> None:
    is_met = Event()

    def time_while_another_counts() -> datetime:
        begun = last_recount(counted)
        if begun is not None and not is_met.is_set():
            is_met.set()
            recount(counted, lambda: NOON, Event())
        return NOON

    recount(counted, time_while_another_counts, Event())

    finished = last_recount(counted)
    assert is_met.is_set()
    assert finished is not None
    assert finished.is_finished
    assert finished.handoffs == count(counted, "handoffs")
    assert is_right(counted)


@pytest.mark.postgres
def test_upkeep_that_is_stopped_merges_nothing(counted: Sessions) -> None:
    changes = count(counted, "tally_changes")
    stop = Event()
    stop.set()

    keep_up(counted, stop)

    assert count(counted, "tally_changes") == changes > 0
