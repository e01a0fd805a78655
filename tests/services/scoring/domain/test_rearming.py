"""When a lead may cross the threshold again: after it has fallen, or after the wait of a reject reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.scoring.domain.lead import Stage
from services.scoring.domain.policy import ScoringPolicy
from shared.contracts.payloads import Change
from tests.builders import NOON, agreement, days, minutes
from tests.services.scoring.domain.story import (
    FORMS,
    POLICY,
    Story,
    policy_with,
)


def recycled(policy: ScoringPolicy = POLICY) -> Story:
    """A lead with 60 points that a rep handed back as not ready at noon."""
    story = Story(policy).does(*FORMS).sales(Change.ASSIGNED)
    return story.sales(Change.REJECTED, rep=None, recycle=True, reason="not_ready").reviewed(NOON)


def test_a_recycled_lead_does_not_qualify_by_its_next_events() -> None:
    story = recycled()
    assert (story.lead.stage, story.lead.armed) == (Stage.RECYCLED, False)

    for day in range(9):
        story.does("page_viewed", *FORMS, at=NOON + days(day))

    assert story.changes == ["became threshold"]


def test_a_recycled_lead_qualifies_again_after_it_has_fallen() -> None:
    story = recycled()
    fallen_at = story.lead.review_at
    assert fallen_at is not None
    assert timedelta(0) <= fallen_at - (NOON + days(14)) < minutes(1)

    assert story.reviewed(fallen_at).lead.armed is True
    assert story.does("page_viewed", at=fallen_at).changes == ["became threshold"]
    assert story.does(*FORMS, at=fallen_at).changes == ["became threshold"] * 2


def test_a_recycled_lead_qualifies_again_by_an_event_after_the_wait_of_the_reason() -> None:
    story = recycled(policy_with(wait="3d"))
    assert story.lead.rearm_at == story.lead.review_at == NOON + days(3)
    assert story.does("form_submitted", at=NOON + days(2)).changes == ["became threshold"]
    assert story.lead.review_at == NOON + days(3)

    assert story.reviewed(NOON + days(3)).changes == ["became threshold"]
    assert (story.lead.armed, story.lead.rearm_at) == (True, None)
    assert story.does("page_viewed", at=NOON + days(4)).changes == ["became threshold"] * 2
    assert story.lead.armed is False


def test_before_the_wait_has_passed_there_is_no_new_handoff_even_after_it_has_fallen() -> None:
    story = recycled(policy_with(wait="60d"))

    story.reviewed(NOON + days(30)).does(*FORMS, at=NOON + days(31))
    assert story.changes == ["became threshold"]
    story.does(*FORMS, at=NOON + days(61))
    assert story.changes == ["became threshold"] * 2


def test_a_hand_raise_qualifies_a_recycled_lead_at_once() -> None:
    story = recycled(policy_with(wait="90d"))

    story.does("demo_requested", at=NOON + minutes(1))

    assert story.changes == ["became threshold", "became hand_raise"]
    assert story.lead.rearm_at is None


def test_a_recycled_lead_waits_for_the_reason_of_the_change() -> None:
    story = Story(policy_with(wait="3d")).does(*FORMS).sales(Change.ASSIGNED)
    story.sales(Change.RETURNED, rep=None, recycle=True, reason="forgotten")

    assert (story.lead.armed, story.lead.rearm_at) == (False, None)


def test_a_wait_that_nobody_reviewed_ends_at_the_next_event() -> None:
    story = recycled(policy_with(wait="3d"))

    story.does("form_submitted", at=NOON + days(4))

    assert story.changes == ["became threshold"] * 2


def test_it_crosses_again_after_it_has_fallen_below_the_lower_line() -> None:
    story = Story().does(*FORMS).sales(Change.ASSIGNED).sales(Change.LOST)
    due = story.lead.review_at
    assert due is not None

    assert story.reviewed(due - minutes(1)).lead.armed is False
    assert story.reviewed(due).lead.armed is True
    story.does(*FORMS, at=due)

    assert story.changes == ["became threshold", "became threshold"]


def test_between_the_lines_it_is_not_armed_again() -> None:
    story = Story().does(*FORMS).sales(Change.LOST).reviewed(NOON + days(9))

    assert story.does("form_submitted", at=NOON + days(9)).changes == ["became threshold"]


def test_a_threshold_that_holds_whatever_the_lead_does_qualifies_once() -> None:
    by_fit = policy_with(threshold={"when": "fit >= 40", "rearm_below": 30})
    story = Story(by_fit).does("seen", traits={"company_size": 300}).sales(Change.ASSIGNED)
    story.sales(Change.REJECTED, rep=None, recycle=True, reason="not_ready").reviewed(NOON)

    story.does("page_viewed").does("page_viewed", at=NOON + days(2))
    assert story.changes == ["became threshold"]
    assert story.lead.review_at == NOON + days(3)

    story.does("seen", at=NOON + days(4), traits={"company_size": 1})
    story.does("seen", at=NOON + days(5), traits={"company_size": 500})
    assert story.changes == ["became threshold"] * 2


def test_a_line_that_decay_never_reaches_needs_no_review() -> None:
    story = Story(policy_with(threshold={"when": "engagement >= 50", "rearm_below": 0})).does(
        *FORMS
    )

    assert (story.changes, story.lead.armed) == (["became threshold"], False)
    assert story.lead.review_at is None
    assert Story().does(*FORMS).lead.review_at is not None


def test_points_that_are_taken_move_the_review_forward() -> None:
    scoring = {
        "signals": [
            {"id": "form", "on": "form_submitted", "points": 30, "half_life": "14d"},
            {"id": "gone", "on": "unsubscribed", "points": -10, "half_life": "never"},
        ]
    }
    story = Story(ScoringPolicy(1, agreement(scoring=scoring))).does(*FORMS)
    first = story.lead.review_at

    story.does("unsubscribed")

    assert first is not None
    assert story.lead.review_at is not None
    assert story.lead.review_at < first


@pytest.mark.parametrize("threshold", [False, True])
def test_only_where_there_is_a_threshold_is_a_lead_reviewed_to_be_armed_again(
    *, threshold: bool
) -> None:
    without: dict[str, Any] = {} if threshold else {"threshold": None}
    story = Story(policy_with(hand_raise=["form_submitted"], **without)).does(*FORMS)

    assert (story.changes, story.lead.armed) == (["became hand_raise"], False)
    assert (story.lead.review_at is not None) is threshold
