"""What the people do: in order, in the past, the same for the same seed, and like people."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.demo.activities import IDENTIFIED, SPAN, Activity, Channel, activities_of

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def by_person(activities: list[Activity]) -> dict[str, list[Activity]]:
    activities_of_people = defaultdict(list)
    for activity in activities:
        activities_of_people[activity.person.anonymous_id].append(activity)
    return activities_of_people


@given(
    seed=st.integers(min_value=0, max_value=10_000), people=st.integers(min_value=1, max_value=60)
)
@settings(max_examples=25)
def test_acts_are_ordered_past_unique_and_the_same_again(seed: int, people: int) -> None:
    activities = activities_of(seed, people, until=NOON, run="run")

    assert activities == activities_of(seed, people, until=NOON, run="run")
    assert [activity.at for activity in activities] == sorted(
        activity.at for activity in activities
    )
    assert all(NOON - SPAN - timedelta(days=1) <= activity.at < NOON for activity in activities)
    assert len({activity.id for activity in activities}) == len(activities)


def test_another_run_has_other_ids_and_the_same_activities() -> None:
    first, second = (activities_of(7, 20, until=NOON, run=run) for run in ("one", "other"))

    assert [(activity.at, activity.type) for activity in first] == [
        (activity.at, activity.type) for activity in second
    ]
    assert not {activity.id for activity in first} & {activity.id for activity in second}


def test_mails_and_requests_come_after_the_form_that_identifies() -> None:
    for activities in by_person(activities_of(7, 300, until=NOON, run="run")).values():
        identified_at = next(
            (activity.at for activity in activities if activity.type == IDENTIFIED), None
        )
        for activity in activities:
            if activity.channel is Channel.MAILINGS or activity.type.endswith(
                ("requested", "started")
            ):
                assert identified_at is not None
                assert activity.at >= identified_at


def test_most_people_browse_before_they_say_who_they_are() -> None:
    known = [
        activities
        for activities in by_person(activities_of(7, 300, until=NOON, run="run")).values()
        if any(activity.type == IDENTIFIED for activity in activities)
    ]

    anonymous_first = [activities for activities in known if activities[0].type == "page_viewed"]
    assert len(anonymous_first) == len(known)
    assert len(known) > 150


def test_a_crawler_reads_faster_than_people_can() -> None:
    activities = activities_of(7, 300, until=NOON, run="run")
    crawls = [visits for visits in by_person(activities).values() if visits[0].person.kind.bot]

    assert crawls
    for visits in crawls:
        assert len(visits) >= 20
        assert visits[-1].at - visits[0].at < timedelta(seconds=20)


def test_hand_raises_fill_the_weeks_so_that_the_first_breach_comes_early() -> None:
    activities = activities_of(7, 300, until=NOON, run="run")
    begin, span = activities[0].at, activities[-1].at - activities[0].at
    raised = [
        (activity.at - begin) / span
        for activity in activities
        if activity.type in ("demo_requested", "contact_sales")
    ]

    assert len(raised) > 30
    assert len([part for part in raised if part < 0.3]) >= 6
