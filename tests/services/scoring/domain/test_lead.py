"""A lead under another policy, and two leads merged."""

from __future__ import annotations

import pytest

from services.scoring.domain.lead import Lead, LiveQualification, Stage, merge, rebuild, with_events
from services.scoring.domain.policy import ScoringPolicy
from tests.builders import NOON, agreement, an_id, days, marketing_event, minutes

POLICY = ScoringPolicy(1, agreement())
ADA = Lead(an_id("ada"), NOON, 1)
EVENTS = [marketing_event("form_submitted", traits={"country": "DE"})]


def test_under_other_rules_the_numbers_change_and_the_way_so_far_stays() -> None:
    fit = [{"id": "home_market", "when": 'lead.country == "DE"', "points": 5}]
    others = ScoringPolicy(2, agreement(scoring={"fit": fit}))
    lead = with_events(ADA, EVENTS, POLICY, now=NOON)._replace(stage=Stage.WON, qualification=3)

    again = rebuild(lead, EVENTS, others, now=NOON)

    assert (lead.fit, again.fit, again.version) == (20.0, 5.0, 2)
    assert again.profile.signals == {}
    assert (again.stage, again.qualification) == (Stage.WON, 3)


def test_fit_is_counted_once_while_nothing_is_learned() -> None:
    lead = with_events(ADA, EVENTS, POLICY, now=NOON)._replace(fit=7.0)

    assert with_events(lead, [marketing_event()], POLICY, now=NOON).fit == 7.0
    assert (
        with_events(lead, [marketing_event(email="new@example.com")], POLICY, now=NOON).fit == 20.0
    )


def test_two_leads_as_one_have_the_further_stage_and_all_that_is_live() -> None:
    live = LiveQualification(an_id("bob"), 2, "standard")
    bob = with_events(Lead(an_id("bob"), NOON, 1, known=True), EVENTS, POLICY, now=NOON)._replace(
        stage=Stage.QUALIFIED,
        armed=False,
        qualification=2,
        review_at=NOON + days(3),
        live={live.key: live},
    )
    ada = ADA._replace(stage=Stage.LOST, review_at=NOON + days(5), blocker="why")

    merged = merge(ada, bob, POLICY)

    assert (merged.id, merged.known, merged.stage) == (ada.id, True, Stage.QUALIFIED)
    assert (merged.armed, merged.qualification, merged.fit) == (False, 2, 20.0)
    assert (merged.review_at, merged.blocker) == (NOON + days(3), "why")
    assert merged.live == {live.key: live}


@pytest.mark.parametrize(
    ("first", "second", "merged"),
    [
        ((True, None), (True, None), (True, None)),
        ((True, None), (False, 3), (False, 3)),
        ((False, 5), (False, 3), (False, 5)),
        ((False, None), (False, 3), (False, None)),
    ],
    ids=["both-armed", "one-waits", "both-wait", "one-must-fall"],
)
def test_merged_leads_wait_as_long_as_the_one_that_waits_longest(
    first: tuple[bool, int | None], second: tuple[bool, int | None], merged: tuple[bool, int | None]
) -> None:
    def lead(name: str, wait: int | None, *, armed: bool) -> Lead:
        rearm_at = None if wait is None else NOON + days(wait)
        return Lead(an_id(name), NOON, 1, armed=armed, rearm_at=rearm_at)

    for ada, bob in ((first, second), (second, first)):
        after = merge(lead("ada", ada[1], armed=ada[0]), lead("bob", bob[1], armed=bob[0]), POLICY)

        assert (after.armed, after.rearm_at) == (merged[0], merged[1] and NOON + days(merged[1]))


def test_a_review_is_computed_anew_where_points_may_have_been_taken() -> None:
    scoring = {"signals": [{"id": "gone", "on": "unsubscribed", "points": -10}]}
    taking = ScoringPolicy(2, agreement(scoring=scoring))
    ada = ADA._replace(review_at=NOON + days(5))

    assert merge(ada, Lead(an_id("bob"), NOON, 1), POLICY).review_at == NOON + days(5)
    assert merge(ada, Lead(an_id("bob"), NOON, 1), taking).review_at is None
    assert rebuild(ada, EVENTS, POLICY, now=NOON).review_at is None


def test_of_two_hand_raises_the_later_waits() -> None:
    first = marketing_event("demo_requested", id="a", time=NOON - minutes(1))
    last = marketing_event("demo_requested", id="b")

    hand_raise = with_events(ADA, [last, first], POLICY, now=NOON).hand_raise

    assert hand_raise is not None
    assert '"id":"b"' in hand_raise


def test_what_decides_about_joins_is_read_from_the_lead() -> None:
    person = with_events(ADA, EVENTS, POLICY, now=NOON).person

    assert (person.id, person.emails) == (ADA.id, frozenset({"ada@example.com"}))
