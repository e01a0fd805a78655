"""The stage of a lead follows what sales does with it."""

from __future__ import annotations

import pytest

from services.scoring.domain.handoff import follow_handoff
from services.scoring.domain.lead import Stage
from shared.contracts.payloads import Change
from tests.builders import NOON, an_id, handoff_changed
from tests.services.scoring.domain.story import FORMS, POLICY, Story


@pytest.mark.parametrize(
    ("changes", "stage"),
    [
        ([Change.ASSIGNED], Stage.QUALIFIED),
        ([Change.ASSIGNED, Change.ACCEPTED], Stage.ACCEPTED),
        ([Change.ASSIGNED, Change.CONTACTED], Stage.ACCEPTED),
        ([Change.ASSIGNED, Change.ACCEPTED, Change.REASSIGNED], Stage.QUALIFIED),
        ([Change.ASSIGNED, Change.DELIVERED, Change.PAUSED, Change.RESUMED], Stage.QUALIFIED),
        ([Change.ASSIGNED, Change.WON], Stage.WON),
        ([Change.ASSIGNED, Change.WON, Change.CONTACTED], Stage.WON),
        ([Change.ASSIGNED, Change.LOST], Stage.LOST),
        ([Change.ASSIGNED, Change.RETURNED], Stage.QUALIFIED),
        ([Change.ASSIGNED, Change.REJECTED], Stage.QUALIFIED),
    ],
    ids=[
        "assigned", "accepted", "contacted", "reassigned", "delivered", "won", "asked after the win", "lost",
        "returned", "rejected",
    ],
)  # fmt: skip
def test_the_stage_follows_the_handoff(changes: list[Change], stage: Stage) -> None:
    story = Story().does(*FORMS)
    for change in changes:
        story.sales(change)

    assert story.lead.stage is stage


def test_what_is_asked_of_a_customer_brings_no_qualification_back() -> None:
    won = Story().does(*FORMS).sales(Change.ASSIGNED).sales(Change.WON).lead
    contact = handoff_changed(Change.CONTACTED, outcome="satisfied")
    assert follow_handoff(won, contact, POLICY, now=NOON).lead == won


@pytest.mark.parametrize("recycle", [False, True])
def test_only_a_rejection_that_recycles_closes_the_qualification(*, recycle: bool) -> None:
    story = Story().does(*FORMS).sales(Change.ASSIGNED).sales(Change.REJECTED, recycle=recycle)

    assert story.lead.stage is (Stage.RECYCLED if recycle else Stage.QUALIFIED)
    assert [it.held for it in story.lead.live.values()] == ([] if recycle else [False])


def test_no_rep_holds_a_handoff_that_ops_took_back_until_another_gets_it() -> None:
    story = Story().does(*FORMS).sales(Change.ASSIGNED)

    for change, rep, held in (
        (Change.REASSIGNED, None, False),
        (Change.WAITING, None, False),
        (Change.REASSIGNED, "linus", True),
    ):
        story.sales(change, rep=rep)
        assert [it.held for it in story.lead.live.values()] == [held]


def test_a_qualification_that_was_merged_is_closed_with_the_one_that_lived() -> None:
    story = Story().does(*FORMS).sales(Change.ASSIGNED)
    [mine] = story.lead.live.values()
    merged = mine._replace(lead_id=an_id("joined"), held=False)
    story.lead = story.lead._replace(live={**story.lead.live, merged.key: merged})

    assert story.sales(Change.WON).lead.live == {}


def test_a_qualification_whose_handoff_was_merged_into_the_other_is_over() -> None:
    story = Story().does(*FORMS).sales(Change.ASSIGNED)
    [mine] = story.lead.live.values()
    joined = mine._replace(lead_id=an_id("joined"))
    story.lead = story.lead._replace(live={**story.lead.live, joined.key: joined})
    merged = handoff_changed(Change.RETURNED, lead=an_id("joined"), rep=None, reason="merged")

    after = follow_handoff(story.lead, merged, POLICY, now=NOON).lead

    assert (after.live, after.stage) == ({mine.key: mine}, Stage.QUALIFIED)


def test_of_two_handoffs_that_reps_hold_the_last_to_close_says_the_stage() -> None:
    story = Story().does(*FORMS).sales(Change.ASSIGNED)
    [mine] = story.lead.live.values()
    other_handoff = mine._replace(lead_id=an_id("joined"))
    story.lead = story.lead._replace(live={**story.lead.live, other_handoff.key: other_handoff})

    assert story.sales(Change.WON).lead.stage is Stage.QUALIFIED
    closing = handoff_changed(Change.LOST, lead=an_id("joined"))
    assert follow_handoff(story.lead, closing, POLICY, now=NOON).lead.stage is Stage.LOST
