"""Merges of leads, and the live handoff that stays."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest

from services.routing.domain.handoff import Handoff, State
from services.routing.domain.merges import merge_handoffs, merged_leads
from shared.contracts.payloads import Change
from tests.builders import NOON, an_id
from tests.services.routing.builders import handoff

A, B, C, D = map(an_id, "abcd")
LATER = NOON + timedelta(hours=1)


def test_merges_give_the_same_survivors_in_every_order() -> None:
    merges = [(A, B), (C, A), (C, D), (A, B)]

    for order in permutations(merges):
        assert merged_leads(order, {}) == {B: C, A: C, D: C}


def test_stored_survivors_follow_a_later_merge() -> None:
    assert merged_leads([(C, A)], {B: A}) == {B: C, A: C}
    assert merged_leads([(A, B)], {B: A}) == {B: A}


@pytest.mark.parametrize(
    ("first", "second", "stays"),
    [
        (handoff(State.CONTACTED, lead="a"), handoff(State.ACCEPTED, lead="b"), "a"),
        (handoff(State.ASSIGNED, lead="a"), handoff(State.ACCEPTED, lead="b"), "b"),
        (handoff(State.ASSIGNED, lead="a"), handoff(State.WAITING, lead="b"), "a"),
        (handoff(lead="a", qualified_at=LATER), handoff(lead="b"), "b"),
        (handoff(State.WAITING, lead="a"), handoff(State.WAITING, lead="b"), None),
    ],
    ids=["contacted", "accepted", "assigned", "older", "by id"],
)
def test_the_handoff_stays_that_a_rep_has_done_most_about_then_the_older(
    first: Handoff, second: Handoff, stays: str | None
) -> None:
    for live in ([first, second], [second, first]):
        [(before, step)] = merge_handoffs(live, {B: A}, now=LATER)

        survivor = {A: first, B: second}[an_id(stays)] if stays else min(live, key=lambda it: it.id)
        assert before in (first, second)
        assert before is not survivor
        assert (step.change, step.details) == (Change.RETURNED, {"reason": "merged"})
        assert (step.handoff.id, step.handoff.state) == (before.id, State.MERGED)
        assert (step.handoff.merged_into, step.handoff.rep) == (survivor.id, None)


def test_handoffs_of_different_persons_stay() -> None:
    assert merge_handoffs([handoff(lead="a"), handoff(lead="c")], {B: A}, now=LATER) == []
