"""When a lead qualifies and ceases to be qualified: thresholds, hand-raises, required traits, suppressions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from services.scoring.domain.lead import Stage
from services.scoring.domain.verdict import assess, judge
from shared.contracts.payloads import Change, MarketingEvent, Qualified
from tests.builders import NOON, days, marketing_event, minutes
from tests.services.scoring.domain.story import (
    BLANK,
    FORMS,
    LATER,
    POLICY,
    SUPPRESSING,
    Story,
    policy_with,
)


def test_a_lead_goes_from_known_to_engaged_to_qualified() -> None:
    story = Story().does("seen").does("form_submitted").does("form_submitted")

    assert story.steps == [Stage.ENGAGED, Stage.QUALIFIED]
    assert (story.changes, story.lead.armed) == (["became threshold"], False)


def test_above_the_line_it_does_not_qualify_again() -> None:
    story = Story().does(*FORMS).sales(Change.ASSIGNED).sales(Change.LOST)

    assert story.does("form_submitted").changes == ["became threshold"]


@pytest.mark.parametrize(
    ("age", "changes"),
    [(days(30), ["became hand_raise"]), (days(30) + timedelta(seconds=1), [])],
    ids=["within", "older"],
)
def test_an_old_hand_raise_gives_points_and_does_not_qualify(
    age: timedelta, changes: list[str]
) -> None:
    story = Story(policy_with(threshold=None))
    story.does("demo_requested", at=NOON - age, received_at=NOON)

    assert story.changes == changes
    assert story.lead.engagement(story.policy, NOON) == 50.0


def test_how_old_a_hand_raise_may_be_is_a_term_of_the_agreement() -> None:
    policy = policy_with(hand_raise_within="2h", threshold=None)

    assert (
        Story(policy).does("demo_requested", at=NOON, received_at=NOON + minutes(121)).changes == []
    )
    assert Story(policy).does("demo_requested", at=NOON, received_at=NOON + minutes(119)).changes


def test_a_hand_raise_qualifies_again_after_each_closed_handoff_and_not_before() -> None:
    story = Story().does("demo_requested").does("demo_requested")
    assert story.changes == ["became hand_raise"]

    for closing in (Change.LOST, Change.WON):
        story.sales(Change.ASSIGNED).sales(closing).does("demo_requested")

    assert story.changes == ["became hand_raise"] * 3
    assert story.lead.qualification == 3


def test_a_crossing_while_a_rep_holds_the_lead_belongs_to_that_handoff() -> None:
    story = Story().does(*FORMS).sales(Change.ASSIGNED).reviewed(LATER)
    assert (story.lead.armed, story.changes) == (True, ["became threshold"])

    story.does(*FORMS, at=LATER)
    assert story.lead.armed is False
    assert story.lead.review_at is not None

    assert story.sales(Change.LOST).does("page_viewed", at=LATER).changes == ["became threshold"]


@pytest.mark.parametrize(
    ("steps", "changes"),
    [
        ((), ["became threshold", "ceased decayed"]),
        (((Change.ASSIGNED, {}),), ["became threshold"]),
        (((Change.ASSIGNED, {}), (Change.REJECTED, {})), ["became threshold", "ceased decayed"]),
        (((Change.WAITING, {}),), ["became threshold", "ceased decayed"]),
    ],
    ids=["nobody-yet", "held", "handed-back", "waiting"],
)
def test_decay_ends_a_qualification_that_nobody_holds(
    steps: Sequence[tuple[Change, dict[str, Any]]], changes: list[str]
) -> None:
    story = Story().does(*FORMS)
    for change, fields in steps:
        story.sales(change, **fields)

    assert story.reviewed(LATER).changes == changes


def test_decay_does_not_end_what_a_hand_raise_began_or_joined() -> None:
    assert Story().does("demo_requested").reviewed(NOON + days(900)).changes == [
        "became hand_raise"
    ]
    joined = Story().does(*FORMS).does("demo_requested").reviewed(LATER)
    assert joined.changes == ["became threshold"]


def test_a_lead_that_ceased_may_cross_again() -> None:
    story = Story().does(*FORMS).reviewed(LATER).does(*FORMS, at=LATER)

    assert story.changes == ["became threshold", "ceased decayed", "became threshold"]


def test_a_rep_who_got_it_before_the_news_that_it_ceased_keeps_it() -> None:
    story = Story().does(*FORMS).reviewed(LATER).sales(Change.ASSIGNED)

    assert story.lead.stage is Stage.QUALIFIED
    assert story.does("demo_requested", at=LATER).changes == ["became threshold", "ceased decayed"]


@pytest.mark.parametrize("doing", [("demo_requested",), FORMS], ids=["hand-raise", "threshold"])
def test_without_a_required_trait_it_waits_and_qualifies_when_that_arrives(
    doing: tuple[str, ...],
) -> None:
    story = Story(policy_with(require=["email", "country"])).does(*doing)
    assert (story.changes, story.lead.blocker) == ([], "incomplete: country")

    story.does("identified", traits={"country": "DE"})

    assert story.changes == ["became required_trait"]
    assert story.lead.blocker is None


def test_a_lead_that_falls_while_it_waits_does_not_qualify() -> None:
    story = Story(policy_with(require=["country"])).does(*FORMS).reviewed(LATER)
    assert story.lead.blocker is None

    assert story.does("identified", at=LATER, traits={"country": "DE"}).changes == []


def test_a_suppressed_lead_is_kept_from_sales_and_the_reason_is_kept() -> None:
    story = Story(SUPPRESSING).does("demo_requested", traits={"customer": True})
    assert (story.lead.stage, story.lead.blocker) == (
        Stage.DISQUALIFIED,
        "suppressed: is a customer",
    )
    assert story.changes == []

    story.does("identified", at=NOON + minutes(1), traits={"customer": False})

    assert story.changes == ["became hand_raise"]


def test_a_lead_that_is_no_longer_suppressed_is_marketings_again() -> None:
    story = Story(SUPPRESSING).does("seen", traits={"customer": True})
    story.does("identified", at=NOON + minutes(1), traits={"customer": False})

    assert story.steps == [Stage.DISQUALIFIED, Stage.KNOWN]


def test_suppression_ends_a_qualification_that_nobody_holds() -> None:
    story = Story(SUPPRESSING).does(*FORMS).does("identified", traits={"customer": True})
    assert story.changes == ["became threshold", "ceased suppressed"]
    assert story.lead.stage is Stage.DISQUALIFIED

    held = Story(SUPPRESSING).does(*FORMS).sales(Change.ASSIGNED)
    assert held.does("identified", traits={"customer": True}).changes == ["became threshold"]


def test_a_won_customer_stays_won_when_suppressed() -> None:
    story = Story(SUPPRESSING).does(*FORMS).sales(Change.ASSIGNED).sales(Change.WON)

    story.does("demo_requested", traits={"customer": True})

    assert (story.lead.stage, story.changes) == (Stage.WON, ["became threshold"])


def test_without_a_threshold_only_a_hand_raise_qualifies() -> None:
    story = Story(policy_with(threshold=None)).does(*FORMS)
    assert story.changes == []

    story.does("demo_requested")
    assert (story.changes, story.lead.review_at) == (["became hand_raise"], None)


@pytest.mark.parametrize(
    ("size", "tier"), [("2000", "enterprise"), (10, "standard")], ids=["large", "small"]
)
def test_the_first_tier_that_holds_is_the_handoffs(size: object, tier: str) -> None:
    event = marketing_event("demo_requested", traits={"company_size": size})

    [crossing] = assess(BLANK, [event], POLICY, now=NOON).crossings

    assert (crossing.live.tier, crossing.change) == (tier, Qualified.BECAME)


def test_why_now_is_the_event_that_asked_or_else_the_last_that_counted() -> None:
    def why(*events: MarketingEvent) -> str | None:
        [crossing] = assess(BLANK, events, POLICY, now=NOON).crossings
        return None if crossing.why_now is None else crossing.why_now.id

    forms = [marketing_event("form_submitted", id=f"f{it}") for it in range(2)]
    assert why(*forms, marketing_event("seen", id="s")) == "f1"
    assert why(marketing_event("demo_requested", id="d"), *forms) == "d"

    [ceased] = judge(Story().does(*FORMS).lead, (), POLICY, now=LATER).crossings
    assert ceased.why_now is None
