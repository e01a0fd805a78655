"""Clocks become tallies, and tallies become reports."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sla_monitor.domain.clocks import Clock, State, fire
from services.sla_monitor.domain.reports import Report, TallySum, percentile, reports
from services.sla_monitor.domain.tallies import bucket_of, seconds_of, tallies_of, tally_changes
from shared.contracts.payloads import Change
from tests.services.sla_monitor.builders import (
    JOURNEY,
    TOUCH,
    derived_clocks,
    ended,
    minutes_after_noon,
    numbered,
    step,
)

RUNNING = derived_clocks([step(Change.ASSIGNED)], TOUCH)["touch/1"]
BREACHED = fire(RUNNING, now=minutes_after_noon(61))[0]
MET = ended(RUNNING, State.MET, 20, by="contacted")
REPORTED_LATE = MET._replace(reported_late=True)
LATE = ended(BREACHED, State.LATE, 80, by="contacted")
CANCELLED = ended(RUNNING, State.CANCELLED, 9, by="lost")
CANCELLED_LATE = ended(BREACHED, State.CANCELLED, 90, by="lost")


@pytest.mark.parametrize(
    ("clock", "measures"),
    [
        (None, []),
        (RUNNING, []),
        (CANCELLED, []),
        (BREACHED, ["overdue"]),
        (CANCELLED_LATE, ["cancelled"]),
        (MET, ["met", "business", "wall"]),
        (REPORTED_LATE, ["met", "reported_late", "business", "wall"]),
        (LATE, ["late", "business", "wall"]),
    ],
    ids=[
        "none",
        "running",
        "cancelled in time",
        "overdue",
        "cancelled late",
        "met",
        "reported late",
        "late",
    ],
)
def test_what_a_clock_counts_as(clock: Clock | None, measures: list[str]) -> None:
    assert [it.measure for it in tallies_of(clock)] == measures


def test_the_cohort_is_the_date_on_which_it_was_due() -> None:
    [tally] = tallies_of(BREACHED)
    cohort = (tally.due_on, tally.team, tally.rep, tally.tier, tally.kind, tally.scope)
    assert cohort == (RUNNING.due_on, "sales", "grace", "standard", "first_touch", "hop")


def test_a_journey_is_the_teams_and_no_reps() -> None:
    history = numbered(step(Change.ASSIGNED), step(Change.CONTACTED, 5))
    assert {it.rep for it in tallies_of(derived_clocks(history, JOURNEY)["journey/0"])} == {""}


def test_a_retracted_breach_is_counted_again() -> None:
    counts = tally_changes([(None, RUNNING), (RUNNING, BREACHED), (BREACHED, MET)])
    assert {it.measure: count for it, count in counts.items()} == {
        "met": 1,
        "business": 1,
        "wall": 1,
    }
    assert tally_changes([(MET, MET)]) == Counter()


@given(st.floats(0, 10**7))
def test_the_seconds_of_a_bucket_are_at_most_9_percent_off(seconds: float) -> None:
    rounded = seconds_of(bucket_of(timedelta(seconds=seconds)))
    assert rounded + 1 == pytest.approx(seconds + 1, rel=0.0906)


def test_percentiles() -> None:
    assert percentile({}, 0.5) == 0
    assert percentile({4: 1, 8: 1}, 0.5) == 1.0
    assert percentile({4: 1, 8: 1}, 0.9) == 3.0
    assert percentile({0: 9, 8: 1}, 0.9) == 0.0


def sums(clocks: list[Clock]) -> list[TallySum]:
    buckets: dict[tuple[str, str, str], dict[int, int]] = defaultdict(dict)
    for tally, count in tally_changes((None, clock) for clock in clocks).items():
        buckets[tally.team, tally.kind, tally.measure][tally.bucket] = count
    return [TallySum(*keys, of_keys) for keys, of_keys in buckets.items()]


def test_attainment_counts_every_promise_that_fell_due() -> None:
    [report] = reports(sums([MET, MET, LATE, BREACHED, CANCELLED_LATE, CANCELLED, RUNNING]))
    assert (report.group, report.promised, report.attainment) == ("sales", 5, 0.4)
    assert (report.met, report.late, report.overdue, report.cancelled) == (2, 1, 1, 1)
    assert report.accept is None
    assert report.first_touch is not None
    assert report.first_touch.answers == 3
    assert report.first_touch.business_p50_s == pytest.approx(20 * 60, rel=0.1)
    assert report.first_touch.wall_p90_s == pytest.approx(80 * 60, rel=0.1)


def test_what_was_met_and_reported_late_stays_met_and_is_counted_apart() -> None:
    [report] = reports(sums([MET, REPORTED_LATE, LATE]))
    assert (report.met, report.reported_late, report.promised) == (2, 1, 3)
    assert report.attainment == pytest.approx(2 / 3)


def test_a_team_that_never_answers_does_not_show_100_percent() -> None:
    [report] = reports(sums([BREACHED]))
    assert report.attainment == 0.0


def test_a_group_whose_promises_were_all_retracted_is_not_reported() -> None:
    assert reports([TallySum("sales", "accept", "overdue", {0: 0})]) == []
    assert Report("sales", 0, 0, 0, 0, 0, None, None).attainment == 1.0
