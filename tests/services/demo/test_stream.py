"""What the people do: in order, in the past, the same for the same seed, and like people."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.demo.stream import IDENTIFIED, SPAN, Act, Channel, acts_of

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def by_person(acts: list[Act]) -> dict[str, list[Act]]:
    theirs = defaultdict(list)
    for act in acts:
        theirs[act.who.anonymous_id].append(act)
    return theirs


@given(
    seed=st.integers(min_value=0, max_value=10_000), people=st.integers(min_value=1, max_value=60)
)
@settings(max_examples=25, deadline=None)
def test_acts_are_ordered_past_unique_and_the_same_again(seed: int, people: int) -> None:
    acts = acts_of(seed, people, until=NOON, run="run")

    assert acts == acts_of(seed, people, until=NOON, run="run")
    assert [act.at for act in acts] == sorted(act.at for act in acts)
    assert all(NOON - SPAN - timedelta(days=1) <= act.at < NOON for act in acts)
    assert len({act.id for act in acts}) == len(acts)


def test_another_run_has_other_ids_and_the_same_acts() -> None:
    one, other = (acts_of(7, 20, until=NOON, run=run) for run in ("one", "other"))

    assert [(act.at, act.type) for act in one] == [(act.at, act.type) for act in other]
    assert not {act.id for act in one} & {act.id for act in other}


def test_the_mailing_tool_and_the_requests_come_after_the_form_that_told_the_address() -> None:
    for acts in by_person(acts_of(7, 300, until=NOON, run="run")).values():
        told = next((act.at for act in acts if act.type == IDENTIFIED), None)
        for act in acts:
            if act.channel is Channel.MAILINGS or act.type.endswith(("requested", "started")):
                assert told is not None
                assert act.at >= told


def test_most_people_browse_before_they_say_who_they_are() -> None:
    known = [
        acts
        for acts in by_person(acts_of(7, 300, until=NOON, run="run")).values()
        if any(act.type == IDENTIFIED for act in acts)
    ]

    anonymous_first = [acts for acts in known if acts[0].type == "page_viewed"]
    assert len(anonymous_first) == len(known)
    assert len(known) > 150


def test_a_crawler_reads_faster_than_people_can() -> None:
    acts = acts_of(7, 300, until=NOON, run="run")
    crawls = [its for its in by_person(acts).values() if its[0].who.kind.bot]

    assert crawls
    for its in crawls:
        assert len(its) >= 20
        assert its[-1].at - its[0].at < timedelta(seconds=20)


def test_hand_raises_fill_the_weeks_so_that_the_first_breach_comes_early() -> None:
    acts = acts_of(7, 300, until=NOON, run="run")
    begin, span = acts[0].at, acts[-1].at - acts[0].at
    raised = [
        (act.at - begin) / span for act in acts if act.type in ("demo_requested", "contact_sales")
    ]

    assert len(raised) > 30
    assert len([part for part in raised if part < 0.3]) >= 6
