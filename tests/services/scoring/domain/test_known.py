"""Since when a lead is known and engaged, and when that is to be announced."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.scoring.domain.first_events import first_activity, first_naming
from services.scoring.domain.identities import names_person
from services.scoring.domain.known import count_announcement, has_earlier_touch, known_before
from services.scoring.domain.lead import Lead, Stage, merge, with_events
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.verdict import Verdict, judge
from shared.contracts.payloads import EventKind, Identity, MarketingEvent
from tests.builders import NOON, agreement, an_id, days, marketing_event, minutes

POLICY = ScoringPolicy(1, agreement())
ADA = Lead(an_id("ada"), NOON, 1)
KNOWN = ADA._replace(known=True, known_at=NOON, announced=1)
EMAIL_CLICK = {"campaign": {"medium": "email"}}


def at(minute: float, type: str = "other", **fields: Any) -> MarketingEvent:
    """An event so many minutes after noon."""
    return marketing_event(type, time=NOON + minutes(minute), **fields)


VISIT: dict[str, Any] = {"email": None, "anonymous_id": "a"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, True),
        ({"email": None, "user_id": "u"}, True),
        ({"email": None, "phone": "+491"}, True),
        (VISIT, False),
        ({**VISIT, "kind": EventKind.ALIAS, "previous": Identity(user_id="u")}, True),
        ({**VISIT, "kind": EventKind.ALIAS, "previous": Identity(anonymous_id="b")}, False),
        ({**VISIT, "kind": EventKind.ALIAS}, False),
        ({**VISIT, "previous": Identity(user_id="u")}, False),
    ],
    ids=[
        "email", "user", "phone", "visitor", "alias-of-a-user", "alias-of-a-visitor", "alias-of-nobody",
        "no-alias",
    ],
)  # fmt: skip
def test_an_event_names_a_person_or_only_a_visitor(
    fields: dict[str, Any], *, expected: bool
) -> None:
    assert names_person(marketing_event(**fields)) is expected


def test_the_first_event_that_names_a_person_counts_whenever_it_comes() -> None:
    assert first_naming(None, [at(3, **VISIT)]) is None
    assert first_naming(None, [at(9), at(5), at(1, **VISIT)]) == NOON + minutes(5)
    assert first_naming(NOON, [at(1), at(-1, **VISIT)]) == NOON
    assert first_naming(NOON, [at(-1)]) == NOON - minutes(1)


def test_activity_is_what_gives_points_or_raises_a_hand() -> None:
    silent = ScoringPolicy(1, agreement(scoring={"signals": []}))

    assert first_activity(None, [at(2, "form_submitted"), at(1, "other")], POLICY) == NOON + (
        minutes(2)
    )
    assert first_activity(None, [at(1, "form_submitted")], silent) is None
    assert first_activity(None, [at(1, "demo_requested")], silent) == NOON + minutes(1)
    assert first_activity(None, [at(1, "demo_requested", marks=("bot",))], silent) is None
    assert first_activity(NOON, [at(1, "form_submitted")], POLICY) == NOON


@pytest.mark.parametrize(
    ("known_at", "active_at", "engaged_at"),
    [
        (None, NOON, None),
        (NOON, None, None),
        (NOON, NOON - days(1), NOON),
        (NOON, NOON + days(1), NOON + days(1)),
    ],
    ids=["visitor", "not-active", "active-as-a-visitor", "active-later"],
)
def test_a_lead_is_engaged_once_it_is_known_and_active(
    known_at: datetime | None, active_at: datetime | None, engaged_at: datetime | None
) -> None:
    assert ADA._replace(known_at=known_at, active_at=active_at).engaged_at == engaged_at


def test_a_new_agreement_moves_no_instant() -> None:
    lead = with_events(KNOWN, [at(0, "form_submitted")], POLICY, now=NOON)
    silent = ScoringPolicy(2, agreement(scoring={"signals": []}))

    later = with_events(lead, [at(-5, "form_submitted")], silent, now=NOON)

    assert (lead.active_at, later.active_at) == (NOON, NOON)


def test_a_lead_that_only_a_new_agreement_makes_engaged_is_engaged_from_then_on() -> None:
    silent = ScoringPolicy(1, agreement(scoring={"signals": []}))
    events = [at(0, "form_submitted")]
    lead = judge(with_events(KNOWN, events, silent, now=NOON), events, silent, now=NOON).lead
    counted = with_events(ADA, events, POLICY, now=NOON).profile

    verdict = judge(lead._replace(profile=counted), (), POLICY, now=NOON + days(1))

    assert (lead.stage, lead.active_at) == (Stage.KNOWN, None)
    assert (verdict.lead.stage, verdict.lead.engaged_at) == (Stage.ENGAGED, NOON + days(1))


def test_a_lead_of_an_older_version_waits_until_its_events_are_read() -> None:
    old = ADA._replace(known=True, stage=Stage.ENGAGED)

    verdict = judge(old, (), POLICY, now=NOON)

    assert verdict.lead.active_at is None
    assert count_announcement(verdict, old) == verdict


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((True, 3), (True, 1), 1),
        ((True, 3), (False, None), 3),
        ((False, None), (False, None), None),
        ((True, None), (True, 1), None),
    ],
    ids=["both-known", "one-known", "visitors", "one-of-an-older-version"],
)
def test_merged_leads_are_known_since_the_earlier_instant(
    first: tuple[bool, int | None], second: tuple[bool, int | None], expected: int | None
) -> None:
    def lead(name: str, since: int | None, *, known: bool) -> Lead:
        instant = None if since is None else NOON + days(since)
        return Lead(an_id(name), NOON, 1, known=known, known_at=instant, active_at=instant)

    for ada, bob in ((first, second), (second, first)):
        merged = merge(lead("ada", ada[1], known=ada[0]), lead("bob", bob[1], known=bob[0]), POLICY)
        assert merged.known_at == (None if expected is None else NOON + days(expected))
        assert merged.active_at == min(
            (NOON + days(it) for it in (first[1], second[1]) if it is not None), default=None
        )


@pytest.mark.parametrize(
    ("before", "after", "is_counted"),
    [
        (None, KNOWN, True),
        (None, ADA, False),
        (ADA, KNOWN, True),
        (KNOWN, KNOWN, False),
        (KNOWN, KNOWN._replace(known_at=NOON - days(1)), True),
        (KNOWN, KNOWN._replace(active_at=NOON), True),
        (KNOWN, KNOWN._replace(fit=20.0), False),
    ],
    ids=["new", "visitor", "became-known", "same", "earlier", "engaged", "another-fit"],
)
def test_a_lead_is_announced_where_its_instants_are_not_those_that_were_announced(
    before: Lead | None, after: Lead, *, is_counted: bool
) -> None:
    verdict = count_announcement(Verdict(after), before)

    assert verdict.lead.announced == after.announced + is_counted


def test_a_lead_with_other_touches_before_it_was_known_is_announced_again() -> None:
    verdict = count_announcement(Verdict(KNOWN), KNOWN, has_earlier_touches=True)

    assert verdict.lead.announced == 2


def test_touches_after_the_lead_was_known_change_nothing() -> None:
    assert has_earlier_touch(KNOWN, [at(0, context=EMAIL_CLICK)], POLICY)
    assert not has_earlier_touch(KNOWN, [at(0), at(1, context=EMAIL_CLICK)], POLICY)
    assert not has_earlier_touch(ADA, [at(0, context=EMAIL_CLICK)], POLICY)


@pytest.mark.parametrize(
    ("events", "stage", "known_after", "engaged_after"),
    [
        ([at(1, **VISIT), at(2), at(3, "form_submitted")], Stage.ENGAGED, 2, 3),
        ([at(1, "form_submitted", **VISIT), at(2)], Stage.WON, 2, 2),
        ([at(2)], Stage.KNOWN, 2, None),
        ([at(2)], Stage.QUALIFIED, 2, 2),
        ([], Stage.DISQUALIFIED, 0, None),
        ([], Stage.ENGAGED, 0, 0),
    ],
    ids=[
        "engaged",
        "visitor-first",
        "known",
        "by-an-older-agreement",
        "nothing-left",
        "was-engaged",
    ],
)
def test_a_lead_of_an_older_version_gets_the_instants_that_its_events_give(
    events: list[MarketingEvent], stage: Stage, known_after: int, engaged_after: int | None
) -> None:
    lead = known_before(ADA._replace(known=True, stage=stage), iter(events), POLICY)

    assert lead.known_at == NOON + minutes(known_after)
    assert lead.engaged_at == (
        None if engaged_after is None else NOON + timedelta(minutes=engaged_after)
    )
    assert lead.announced == 1
