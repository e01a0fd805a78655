"""When the nightly recount begins, and what it counts."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

from services.sla_monitor.domain.recounts import Recount, after_cohort, recount_at
from services.sla_monitor.domain.tallies import EVERY, Tally, differences

NIGHT = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
TONIGHT = Recount(date(2026, 11, 18), date(2026, 9, 17), date(2026, 12, 2))
HOUR = timedelta(hours=1)


def test_the_first_recount_begins_at_once() -> None:
    assert recount_at(NIGHT - HOUR, None) == TONIGHT


def test_a_recount_goes_on_until_it_is_finished_and_the_next_begins_at_night() -> None:
    begun = TONIGHT._replace(next_on=date(2026, 12, 2))
    assert recount_at(NIGHT + 21 * HOUR, begun) == begun

    finished = after_cohort(begun, clocks=3, differences=1, now=NIGHT)

    assert (finished.is_finished, finished.finished_at) == (True, NIGHT)
    assert (finished.clocks, finished.differences) == (3, 1)
    assert recount_at(NIGHT + 21 * HOUR, finished) is None
    assert recount_at(NIGHT + 23.9 * HOUR, finished) is None
    next_night = recount_at(NIGHT + 24 * HOUR, finished)
    assert next_night == Recount(
        date(2026, 11, 19), date(2026, 9, 18), date(2026, 12, 3), finished_at=NIGHT
    )


def test_a_recount_that_was_not_finished_gives_way_to_the_next() -> None:
    later = after_cohort(TONIGHT, clocks=1, differences=0, now=NIGHT)
    assert (later.next_on, later.finished_at) == (date(2026, 9, 18), None)
    next_night = recount_at(NIGHT + 24 * HOUR, later)
    assert next_night is not None
    assert next_night.night == date(2026, 11, 19)


def test_differences_are_those_of_each_count_and_of_the_sums() -> None:
    tally = Tally(date(2026, 11, 18), "sales", "ada", "hot", "accept", "hop", "met", 0)
    of_all = tally._replace(rep=EVERY, tier=EVERY)
    stored = {
        tally: 1,
        tally._replace(rep=EVERY): 2,
        tally._replace(tier=EVERY): 2,
        of_all: 5,
        tally._replace(measure="late"): 0,
    }
    assert differences(stored, Counter({tally: 2})) == {tally: 1, of_all: -3}
