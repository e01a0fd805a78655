"""A lead that a rep has disqualified does not qualify, until an event or ops reopen it."""

from __future__ import annotations

from datetime import datetime

import pytest

from services.scoring.domain.lead import Lead, LiveQualification, Stage, merge
from services.scoring.domain.verdict import judge, reopened
from shared.contracts.payloads import Change
from tests.builders import NOON, an_id, days, minutes
from tests.services.scoring.domain.story import BLANK, FORMS, POLICY, Story, policy_with

REOPENING = policy_with(reopened_by=["contact_sales"])


def disqualified(story: Story, at: datetime = NOON) -> Story:
    """The lead after a rep has said that it is a student."""
    fields = {"rep": None, "then": "disqualify", "reason": "a_student", "at": at}
    story.sales(Change.ASSIGNED).sales(Change.REJECTED, **fields)
    return story.sales(Change.RETURNED, **fields)


def test_neither_points_nor_a_raised_hand_qualify_it() -> None:
    story = disqualified(Story(REOPENING).does(*FORMS))
    assert (story.lead.stage, story.lead.live) == (Stage.DISQUALIFIED, {})
    assert story.lead.blocker == "disqualified: a_student"
    assert story.lead.disqualified_at == NOON

    story.does(*FORMS, "demo_requested", at=NOON + days(60)).reviewed(NOON + days(90))

    assert story.changes == ["became threshold"]
    assert story.lead.stage is Stage.DISQUALIFIED
    assert story.lead.review_at is None


def test_an_event_of_after_it_reopens_the_lead_and_a_late_one_of_before_does_not() -> None:
    story = disqualified(Story(REOPENING).does(*FORMS), at=NOON + minutes(10))

    story.does("contact_sales", at=NOON + minutes(5))
    assert story.lead.disqualified_at == NOON + minutes(10)
    story.does("contact_sales", at=NOON + minutes(20), marks=("bot",))
    assert story.lead.disqualified_at == NOON + minutes(10)
    story.does("contact_sales", at=NOON + minutes(20))
    reopened_lead = story.lead
    assert (reopened_lead.disqualified_at, reopened_lead.blocker) == (None, None)
    assert reopened_lead.stage is Stage.ENGAGED
    assert story.lead.review_at is not None

    story.does("demo_requested", at=NOON + minutes(30))
    assert story.changes == ["became threshold", "became hand_raise"]


def test_without_such_an_event_only_ops_reopen_it_and_a_raised_hand_counts_then() -> None:
    story = disqualified(Story().does(*FORMS)).does("contact_sales", "demo_requested")
    assert story.changes == ["became threshold"]

    verdict = judge(reopened(story.lead), (), POLICY, now=NOON + minutes(1))

    assert [it.cause for it in verdict.crossings] == ["hand_raise"]
    assert verdict.lead.stage is Stage.QUALIFIED
    assert reopened(verdict.lead) == verdict.lead


def test_a_lead_that_another_rep_holds_is_not_disqualified() -> None:
    story = Story().does(*FORMS).sales(Change.ASSIGNED)
    joined = LiveQualification(an_id("joined"), 1, "standard", held=True)
    story.lead = story.lead._replace(live={**story.lead.live, joined.key: joined})

    story.sales(Change.REJECTED, rep=None, then="disqualify", reason="a_student")

    assert (story.lead.stage, story.lead.disqualified_at) == (Stage.QUALIFIED, None)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_person_is_disqualified_if_one_of_two_leads_is(*, reverse: bool) -> None:
    student = disqualified(Story().does(*FORMS)).lead
    visitor = Lead(an_id("visitor"), NOON, 1, blocker="incomplete: email")
    earlier = student._replace(
        id=an_id("bob"), disqualified_at=NOON - days(1), blocker="disqualified: not_a_buyer"
    )
    for another in (visitor, earlier):
        pair = (another, student) if reverse else (student, another)
        merged = merge(*pair, POLICY)
        assert (merged.disqualified_at, merged.blocker) == (NOON, "disqualified: a_student")


def test_a_person_whom_sales_have_by_the_other_lead_is_not_disqualified() -> None:
    student = disqualified(Story().does(*FORMS)).lead
    live = LiveQualification(BLANK.id, 1, "standard")
    with_sales = Lead(an_id("bob"), NOON, 1, stage=Stage.QUALIFIED, live={live.key: live})

    merged = merge(student, with_sales, POLICY)

    assert (merged.disqualified_at, merged.stage) == (None, Stage.QUALIFIED)
