"""A score depends on the set of a lead's events, not on order, batches or merges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.profile import Profile, extend_profile, merge_profiles
from shared.contracts.payloads import EventKind, Identity, MarketingEvent
from tests.builders import NOON, agreement, days, marketing_event, minutes
from tests.services.scoring import oracle

POLICY = ScoringPolicy(1, agreement(scoring=oracle.SCORING))


def profile_of(*events: MarketingEvent) -> Profile:
    """The profile of these events."""
    return extend_profile(Profile(), events, POLICY, now=NOON)


def batches(events: Sequence[MarketingEvent], random: Random) -> Iterator[list[MarketingEvent]]:
    """The events in any order, in batches of any size."""
    shuffled = random.sample(events, len(events))
    while shuffled:
        size = random.randint(1, 6)
        yield shuffled[:size]
        shuffled = shuffled[size:]


@settings(max_examples=200)
@given(st.lists(oracle.happenings(), max_size=30), st.randoms(use_true_random=False))
def test_any_order_any_batches_any_joins_give_the_score_of_all_events_at_once(
    events: list[MarketingEvent], random: Random
) -> None:
    leads = [Profile(), Profile(), Profile()]
    for batch in batches(events, random):
        at = random.randrange(3)
        leads[at] = extend_profile(leads[at], batch, POLICY, now=NOON)
    first, second, third = random.sample(leads, 3)
    whole = merge_profiles(first, merge_profiles(second, third, POLICY), POLICY)

    for later in (0, 0.3, 11):
        now = NOON + days(later)
        expected = oracle.engagement(events, POLICY.agreement.scoring, now)
        engagement = whole.engagement(POLICY, now)
        assert engagement.value == pytest.approx(expected, abs=1e-9)
        assert sum(part.points for part in engagement.parts) == pytest.approx(
            engagement.value, abs=1e-9
        )
    assert whole.fit(POLICY).value == oracle.fit(events, POLICY.agreement)
    assert (whole.trait_values, whole.emails) == (
        profile_of(*events).trait_values,
        profile_of(*events).emails,
    )


def test_a_day_that_weighs_nothing_any_more_is_dropped() -> None:
    old = marketing_event("downloaded", time=NOON - days(2))

    kept = profile_of(old, marketing_event("downloaded"))

    assert len(kept.signals["flash"]) == 1
    assert len(kept.signals["paper"]) == 1


def test_of_two_values_of_a_trait_the_later_is_known_and_null_takes_it_back() -> None:
    first = marketing_event(traits={"country": "DE", "title": "CTO"}, time=NOON - minutes(2))
    second = marketing_event(traits={"country": "FR", "title": None}, time=NOON - minutes(1))

    assert (
        profile_of(second, first).trait_values
        == profile_of(first, second).trait_values
        == {"country": "FR"}
    )


def test_traits_that_nobody_declared_are_not_kept() -> None:
    assert profile_of(marketing_event(traits={"shoe_size": 43, "name": "Ada"})).trait_values == {
        "name": "Ada"
    }


def test_the_first_and_the_last_campaign_are_kept() -> None:
    events = [
        marketing_event(time=NOON - days(at), context={"campaign": {"source": name, "n": 1}})
        for at, name in ((1, "last"), (5, "first"), (3, "middle"))
    ]
    odd = [marketing_event(context={"campaign": it}) for it in ("text", {}, {"n": 2})]

    profile = merge_profiles(profile_of(events[0]), profile_of(*events[1:], *odd), POLICY)

    assert profile.first_campaign is not None
    assert profile.first_campaign[2] == {"source": "first"}
    assert profile.last_campaign is not None
    assert profile.last_campaign[2] == {"source": "last"}


def test_an_alias_keeps_the_old_address_and_shows_the_new_one() -> None:
    alias = marketing_event(
        "aliased",
        kind=EventKind.ALIAS,
        email="new@example.com",
        phone="+491",
        previous=Identity(email="old@example.com", phone="+490"),
    )

    profile = profile_of(alias)

    assert set(profile.emails) == {"old@example.com", "new@example.com"}
    assert (profile.email, profile.phone) == ("new@example.com", "+491")


@pytest.mark.parametrize(
    ("email", "traits", "account"),
    [
        ("ada@mail.example.co.uk", {}, "example.co.uk"),
        ("ada@gmail.com", {}, None),
        ("ada@mailinator.com", {}, None),
        ("ada@localhost", {}, None),
        (None, {}, None),
        ("ada@gmail.com", {"account": "acme.com"}, "acme.com"),
        ("ada@acme.com", {"account": 7}, "acme.com"),
    ],
    ids=["business", "free-mail", "disposable", "no-domain", "unknown", "trait", "odd-trait"],
)
def test_the_account_is_the_trait_or_the_domain_of_a_business_address(
    email: str | None, traits: dict[str, object], account: str | None
) -> None:
    assert profile_of(marketing_event(email=email, user_id="u", traits=traits)).account == account
