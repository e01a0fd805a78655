"""Answers may come late, twice and in any order: what happened is counted by when it happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.answers import (
    MAX_STEPS,
    Actor,
    Answer,
    PastStep,
    TooManyAnswers,
    steps_of_answer,
)
from services.routing.domain.handoff import Handoff, State
from services.routing.domain.terms import with_terms
from shared.contracts.payloads import Change
from tests.builders import DEFAULT_SECTIONS, NOON, agreement, minutes
from tests.services.routing.builders import handoff

GRACE = Actor("rep", "grace")
AGREEMENT = agreement(
    routing={
        **DEFAULT_SECTIONS["routing"],
        "contact_outcomes": [
            {"id": "no_answer"},
            {"id": "reached", "reached": True},
            {"id": "wrong_number", "touch": False},
        ],
        "pause_reasons": [
            {"id": "short", "kinds": ["first_touch"], "longest": "30m"},
            {"id": "long", "kinds": ["first_touch"], "longest": "5h"},
        ],
    }
)
END = NOON + timedelta(days=1)


def contact(outcome: str, at: datetime | None, **details: Any) -> Answer:
    return Answer(Change.CONTACTED, at, details={"channel": "phone", "outcome": outcome, **details})


def pause(reason: str, at: datetime | None) -> Answer:
    return Answer(Change.PAUSED, at, details={"reason": reason})


class Story:
    """A handoff of Grace's, with the steps that her answers caused."""

    def __init__(self) -> None:
        self.handoff: Handoff = handoff()
        self.past = [PastStep(Change.ASSIGNED, NOON, "leadbaton", 1, "grace")]

    def answer(self, answer: Answer, *, now: datetime = END) -> Story:
        steps = steps_of_answer(
            self.handoff, with_terms(answer, AGREEMENT), actor=GRACE, past=self.past, now=now
        )
        for step in steps:
            self.handoff = step.handoff
            self.past.append(
                PastStep(step.change, step.occurred_at, step.actor, 1, "grace", dict(step.details))
            )
        return self

    def times(self, change: Change) -> list[datetime]:
        return [it.occurred_at for it in self.past if it.change is change]


class Facts(NamedTuple):
    """What counts about a handoff, apart from the order in which it was learned."""

    state: State
    paused_until: datetime | None
    pause_reason: str | None
    accepted_at: datetime | None
    contacts: Counter[tuple[datetime, str]]


def facts(story: Story) -> Facts:
    acceptances = story.times(Change.ACCEPTED) + story.times(Change.CONTACTED)
    return Facts(
        story.handoff.state,
        story.handoff.paused_until,
        story.handoff.pause_reason,
        min(acceptances, default=None),
        Counter(
            (it.occurred_at, it.details["outcome"])
            for it in story.past
            if it.change is Change.CONTACTED
        ),
    )


KINDS = st.one_of(
    st.just(Answer(Change.ACCEPTED)),
    st.just(Answer(Change.RESUMED)),
    st.sampled_from(["no_answer", "reached", "wrong_number"]).map(lambda it: contact(it, None)),
    st.sampled_from(["short", "long"]).map(lambda it: pause(it, None)),
)


class Sent(NamedTuple):
    """Answers as they came, and each once in the order in which they happened."""

    in_any_order: list[Answer]
    by_time: list[Answer]


@st.composite
def answers(draw: st.DrawFn) -> Sent:
    """Answers at different times, some of them sent twice, in any order."""
    by_time = [
        Answer(it.change, NOON + minutes(7 * number), details=it.details)
        for number, it in enumerate(draw(st.lists(KINDS, max_size=8)), start=1)
    ]
    repeated = draw(st.lists(st.sampled_from(by_time), max_size=4)) if by_time else []
    return Sent(draw(st.permutations([*by_time, *repeated])), by_time)


def story_of(sent: Sequence[Answer]) -> Story:
    story = Story()
    for answer in sent:
        story.answer(answer)
    return story


@given(answers())
def test_the_order_in_which_answers_come_changes_nothing(sent: Sent) -> None:
    assert facts(story_of(sent.in_any_order)) == facts(story_of(sent.by_time))


def test_two_calls_that_nobody_answered_are_two_attempts_and_one_that_is_sent_twice_is_one() -> (
    None
):
    unnamed = Story()
    for after in (10, 10.5, 40):
        unnamed.answer(contact("no_answer", None), now=NOON + minutes(after))
    named = Story()
    for at in (10, 40, 10):
        named.answer(contact("no_answer", NOON + minutes(at)))

    assert unnamed.times(Change.CONTACTED) == [NOON + minutes(10), NOON + minutes(40)]
    assert named.times(Change.CONTACTED) == [NOON + minutes(10), NOON + minutes(40)]


def test_an_acceptance_of_before_the_first_contact_is_kept_however_late_it_comes() -> None:
    story = Story().answer(contact("reached", NOON + minutes(30)))

    story.answer(Answer(Change.ACCEPTED, NOON + minutes(45)))
    assert story.times(Change.ACCEPTED) == []
    story.answer(Answer(Change.ACCEPTED, NOON + minutes(5)))
    assert story.times(Change.ACCEPTED) == [NOON + minutes(5)]
    assert story.handoff.state is State.CONTACTED


def test_a_pause_within_another_one_makes_it_neither_longer_nor_shorter() -> None:
    story = Story().answer(pause("long", NOON + minutes(10)))

    story.answer(pause("short", NOON + minutes(20)))

    assert story.handoff.paused_until == NOON + minutes(310)
    assert story.handoff.pause_reason == "long"


def test_a_pause_begins_again_after_the_longest_time_and_after_a_resumption() -> None:
    story = Story().answer(pause("short", NOON + minutes(10)))

    story.answer(pause("long", NOON + minutes(45)))
    assert story.handoff.paused_until == NOON + minutes(345)
    resumed = story.answer(Answer(Change.RESUMED, NOON + minutes(50))).handoff
    assert (resumed.paused_until, resumed.pause_reason) == (None, None)


@pytest.mark.parametrize("change", [Change.WON, Change.LOST])
def test_a_closed_handoff_is_not_paused(change: Change) -> None:
    story = Story().answer(pause("long", NOON + minutes(10)))

    story.answer(Answer(change, NOON + minutes(20)))

    assert story.handoff.paused_until is None


def test_a_pause_ends_with_the_hop() -> None:
    story = Story().answer(pause("long", NOON + minutes(10)))

    story.answer(Answer(Change.REJECTED, NOON + minutes(20), details={"reason": "no_capacity"}))

    assert (story.handoff.state, story.handoff.paused_until) == (State.WAITING, None)


def test_another_note_makes_no_other_answer_and_is_not_announced() -> None:
    story = Story().answer(contact("no_answer", NOON + minutes(10), note="mailbox is full"))

    story.answer(contact("no_answer", NOON + minutes(10), note="try again"))

    [step] = [it for it in story.past if it.change is Change.CONTACTED]
    assert step.details["note"] == "mailbox is full"
    [again] = steps_of_answer(
        handoff(),
        contact("no_answer", None, note="a secret"),
        actor=GRACE,
        past=[],
        now=END,
    )
    assert b"no_answer" in again.payload()
    assert b"secret" not in again.payload()


def test_a_handoff_takes_so_many_contacts_and_may_still_be_closed() -> None:
    story = Story()
    story.past *= MAX_STEPS

    for repeatable in (contact("no_answer", None), pause("long", None), Answer(Change.RESUMED)):
        with pytest.raises(TooManyAnswers, match="has 1000 steps already"):
            story.answer(repeatable)
    assert story.answer(Answer(Change.WON)).handoff.state is State.WON
