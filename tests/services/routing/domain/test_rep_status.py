"""Tests of the hours and shares of reps."""

from __future__ import annotations

from datetime import datetime

import pytest

from services.routing.domain.rep_status import RepStatus, WorkingHours, rep_statuses
from services.routing.domain.roster import RepLoad
from tests.builders import DEFAULT_SECTIONS
from tests.services.routing.builders import at, build_policy, rep_load


def statuses(*loads: RepLoad) -> dict[str, RepStatus]:
    """The statuses on Wednesday at noon."""
    status = rep_statuses(loads, policy=build_policy(), now=at(18))
    return {it.load.rep.id: it for it in status}


def test_a_share_is_compared_with_the_weights_of_active_reps() -> None:
    status = statuses(
        rep_load("grace", assigned=3, credit=1.0),
        rep_load("linus", assigned=4, rep_fields={"weight": 3.0}),
        rep_load("ada", assigned=9, rep_fields={"active": False}),
    )

    grace, linus = status["grace"].share, status["linus"].share
    assert grace is not None
    assert linus is not None
    assert (grace.fair, linus.fair) == (0.25, 0.75)
    assert (grace.real, linus.real) == (0.5, 0.5)
    assert (grace.shortfall, linus.shortfall) == (-2.0, 2.0)
    assert (grace.period, grace.assigned, grace.credit) == ("2026-11", 3, 1.0)
    assert status["ada"].share is None


def test_before_the_first_lead_there_is_no_real_share() -> None:
    share = statuses(rep_load("grace"))["grace"].share

    assert share is not None
    assert (share.fair, share.real, share.shortfall) == (1.0, None, 0.0)


def test_a_newcomer_has_the_average_of_the_others() -> None:
    status = statuses(rep_load("grace", assigned=6), rep_load("linus", counted=False))

    share = status["linus"].share
    assert share is not None
    assert (share.assigned, share.credit, share.real) == (0, 6.0, 0.5)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (at(18), WorkingHours("office", open=True, until=at(18, 17))),
        (at(18, 18), WorkingHours("office", open=False, until=at(19, 9))),
        (at(20, 17), WorkingHours("office", open=False, until=at(23, 9))),
    ],
    ids=["at noon", "in the evening", "before the weekend"],
)
def test_hours_are_open_or_closed_until(now: datetime, expected: WorkingHours) -> None:
    [status] = rep_statuses([rep_load("grace")], policy=build_policy(), now=now)

    assert status.hours == expected


def test_hours_that_never_close_have_no_end() -> None:
    days = {it: ["00:00-24:00"] for it in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    always = {"id": "always", "zone": "UTC", "hours": days}
    policy = build_policy(sla={"calendars": [*DEFAULT_SECTIONS["sla"]["calendars"], always]})

    [status] = rep_statuses(
        [rep_load("grace", rep_fields={"hours": "always"})], policy=policy, now=at(18)
    )

    assert (status.hours.calendar, status.hours.open, status.hours.until) == ("always", True, None)
