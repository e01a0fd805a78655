"""What an answer changes, and which ones are refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from services.routing.domain.answers import (
    Actor,
    Answer,
    HandoffMoved,
    ImpossibleTime,
    NotYours,
    PastStep,
    steps_of_answer,
)
from services.routing.domain.handoff import State
from shared.contracts.payloads import Change
from tests.builders import NOON
from tests.services.routing.builders import handoff

GRACE, LINUS, OPS = Actor("rep", "grace"), Actor("rep", "linus"), Actor("ops", "olga")
LATER = NOON + timedelta(minutes=10)
NO_TOUCH = Answer(Change.CONTACTED, details={"outcome": "wrong_number", "touch": False})
PAUSE = Answer(Change.PAUSED, details={"reason": "on_leave"}, longest=timedelta(days=10))


@pytest.mark.parametrize(
    ("state", "answer", "changes", "after"),
    [
        (State.ASSIGNED, Answer(Change.ACCEPTED), [Change.ACCEPTED], State.ACCEPTED),
        (State.ACCEPTED, Answer(Change.ACCEPTED), [], None),
        (State.CONTACTED, Answer(Change.ACCEPTED), [], None),
        (State.ASSIGNED, Answer(Change.CONTACTED), [Change.CONTACTED], State.CONTACTED),
        (State.CONTACTED, Answer(Change.CONTACTED), [Change.CONTACTED], State.CONTACTED),
        (State.ASSIGNED, Answer(Change.WON), [Change.WON], State.WON),
        (State.CONTACTED, Answer(Change.LOST), [Change.LOST], State.LOST),
        (State.ASSIGNED, Answer(Change.REJECTED), [Change.REJECTED], State.WAITING),
        (
            State.ACCEPTED,
            Answer(Change.REJECTED, details={"then": "recycle", "recycle": True}),
            [Change.REJECTED, Change.RETURNED],
            State.RECYCLED,
        ),
        (
            State.ACCEPTED,
            Answer(Change.REJECTED, details={"then": "disqualify"}),
            [Change.REJECTED, Change.RETURNED],
            State.DISQUALIFIED,
        ),
        (State.ASSIGNED, NO_TOUCH, [Change.CONTACTED], State.ACCEPTED),
        (State.CONTACTED, NO_TOUCH, [Change.CONTACTED], State.CONTACTED),
        (State.ACCEPTED, PAUSE, [Change.PAUSED], State.ACCEPTED),
        (State.ASSIGNED, Answer(Change.RESUMED), [Change.RESUMED], State.ASSIGNED),
    ],
    ids=[
        "accept",
        "accept twice",
        "accept after contact",
        "contact",
        "contact again",
        "win",
        "lose",
        "reject",
        "recycle",
        "disqualify",
        "contact without a touch",
        "contact without a touch after one",
        "pause",
        "resume",
    ],
)
def test_answers_move_a_handoff_on(
    state: State, answer: Answer, changes: list[Change], after: State | None
) -> None:
    steps = steps_of_answer(handoff(state), answer, actor=GRACE, past=[], now=LATER)

    assert [it.change for it in steps] == changes
    if after is not None:
        last = steps[-1].handoff
        assert last.state is after
        assert (last.closed_at is not None) == (not after.live)
        assert (last.rep is None) == (after in (State.WAITING, State.RECYCLED, State.DISQUALIFIED))
        assert last.sequence == 1 + len(steps)
        assert steps[0].actor == "rep/grace"


def test_the_same_answer_twice_is_one_even_after_the_handoff_moved_on() -> None:
    past = [
        PastStep(Change.ASSIGNED, NOON, "leadbaton", 1, "grace"),
        PastStep(Change.REJECTED, LATER, "rep/grace", 1, None, {"reason": "no_capacity"}),
        PastStep(Change.REASSIGNED, LATER, "leadbaton", 2, "linus"),
    ]
    moved = handoff(rep="linus", hop=2)
    again = Answer(Change.REJECTED, details={"reason": "no_capacity"})
    timed = Answer(Change.REJECTED, LATER - timedelta(seconds=5), details={"reason": "no_capacity"})

    for answer in (again, timed):
        assert steps_of_answer(moved, answer, actor=GRACE, past=past, now=LATER) == []
    for different in (
        Answer(Change.REJECTED, details={"reason": "not_ready"}),
        Answer(Change.REJECTED, NOON, details={"reason": "no_capacity"}),
        Answer(Change.ACCEPTED),
    ):
        with pytest.raises(HandoffMoved, match="assigned with linus, hop 2"):
            steps_of_answer(moved, different, actor=GRACE, past=past, now=LATER)


def test_an_answer_of_ops_is_for_the_current_hop_or_the_named_one() -> None:
    past = [PastStep(Change.REJECTED, NOON, "ops/olga", 1, None, {})]
    second = handoff(rep="linus", hop=2)

    assert (
        steps_of_answer(second, Answer(Change.REJECTED, hop=1), actor=OPS, past=past, now=LATER)
        == []
    )
    assert steps_of_answer(second, Answer(Change.REJECTED), actor=OPS, past=past, now=LATER) != []
    with pytest.raises(HandoffMoved):
        steps_of_answer(second, Answer(Change.WON, hop=1), actor=OPS, past=past, now=LATER)


@pytest.mark.parametrize(
    ("state", "where"),
    [
        (State.WAITING, "waiting, without a rep"),
        (State.WON, "won by grace"),
        (State.RECYCLED, "recycled, without a rep"),
    ],
)
def test_a_refusal_names_the_state_and_the_rep(state: State, where: str) -> None:
    with pytest.raises(HandoffMoved, match=where):
        steps_of_answer(handoff(state), Answer(Change.ACCEPTED), actor=OPS, past=[], now=LATER)


def test_a_rep_answers_only_for_their_own_handoffs() -> None:
    with pytest.raises(NotYours):
        steps_of_answer(handoff(), Answer(Change.ACCEPTED), actor=LINUS, past=[], now=LATER)


@pytest.mark.parametrize(
    ("occurred_at", "kept"),
    [
        (None, LATER),
        (NOON + timedelta(minutes=1), NOON + timedelta(minutes=1)),
        (LATER + timedelta(seconds=59), LATER),
        (NOON - timedelta(seconds=59), NOON),
    ],
    ids=["now", "earlier", "a clock ahead", "a clock behind"],
)
def test_answers_keep_when_they_happened(occurred_at: datetime | None, kept: datetime) -> None:
    answer = Answer(Change.ACCEPTED, occurred_at)

    [step] = steps_of_answer(handoff(), answer, actor=GRACE, past=[], now=LATER)

    assert (step.occurred_at, step.recorded_at) == (kept, LATER)


@pytest.mark.parametrize(
    ("occurred_at", "message"),
    [
        (LATER + timedelta(seconds=61), "in the future"),
        (NOON - timedelta(seconds=61), "before the assignment"),
    ],
)
def test_impossible_times_are_refused(occurred_at: datetime, message: str) -> None:
    with pytest.raises(ImpossibleTime, match=message):
        steps_of_answer(
            handoff(),
            Answer(Change.ACCEPTED, occurred_at),
            actor=GRACE,
            past=[],
            now=LATER,
        )


LOS_ANGELES = ZoneInfo("America/Los_Angeles")
TWO_DAYS_LATER = NOON + timedelta(days=2)


@pytest.mark.parametrize(
    ("day", "zone", "now", "kept"),
    [
        (18, UTC, TWO_DAYS_LATER, datetime(2026, 11, 18, 23, 59, 59, 999999, UTC)),
        (18, LOS_ANGELES, TWO_DAYS_LATER, datetime(2026, 11, 19, 7, 59, 59, 999999, UTC)),
        (18, UTC, LATER, LATER),
        (20, UTC, TWO_DAYS_LATER, TWO_DAYS_LATER),
    ],
    ids=["the end of the day", "of the rep's day", "the day of the assignment", "today"],
)
def test_a_date_is_the_end_of_the_reps_day_or_now(
    day: int, zone: tzinfo, now: datetime, kept: datetime
) -> None:
    answer = Answer(Change.CONTACTED, date(2026, 11, day), zone=zone)

    [step] = steps_of_answer(handoff(), answer, actor=GRACE, past=[], now=now)
    same = PastStep(Change.CONTACTED, step.occurred_at, "rep/grace", 1, "grace")
    later = now + timedelta(minutes=5)

    assert step.occurred_at == kept
    assert steps_of_answer(handoff(), answer, actor=GRACE, past=[same], now=later) == []


@pytest.mark.parametrize(
    ("day", "message"), [(17, "2026-11-17 is before the assignment"), (19, "2026-11-19 is in the")]
)
def test_a_date_before_the_assignment_or_of_tomorrow_is_refused(day: int, message: str) -> None:
    answer = Answer(Change.ACCEPTED, date(2026, 11, day))

    with pytest.raises(ImpossibleTime, match=message):
        steps_of_answer(handoff(), answer, actor=GRACE, past=[], now=LATER)
