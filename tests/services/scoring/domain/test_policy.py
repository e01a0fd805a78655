"""Which signals an event counts for, and which facts and traits conditions read."""

from __future__ import annotations

from typing import Any

import pytest

from services.scoring.domain.policy import ScoringPolicy, event_facts
from shared.agreement.cel.cache import MAX_ANSWERS
from tests.builders import agreement, marketing_event


@pytest.mark.parametrize(
    ("properties", "context", "url", "path"),
    [
        ({"url": "https://x/a", "path": "/a"}, {}, "https://x/a", "/a"),
        ({}, {"page": {"url": "https://x/b", "path": "/b"}}, "https://x/b", "/b"),
        ({"path": "/a"}, {"page": {"path": "/b"}}, None, "/a"),
        ({}, {"page": "odd"}, None, None),
    ],
    ids=["properties", "page", "both", "odd"],
)
def test_url_and_path_come_from_the_event_or_its_page(
    properties: dict[str, Any], context: dict[str, Any], url: str | None, path: str | None
) -> None:
    facts = event_facts(marketing_event(properties=properties, context=context))["event"]

    assert (facts.get("url"), facts.get("path")) == (url, path)


def test_several_signals_may_count_one_event() -> None:
    when = {"on": "page_viewed", "points": 1}
    signals = [
        {"id": "any", **when},
        {"id": "pricing", "when": 'event.path == "/pricing"', **when},
        {"id": "blog", "when": 'event.path.startsWith("/blog")', **when},
        {"id": "shop", "when": 'event.url.startsWith("https://shop.")', **when},
    ]
    policy = ScoringPolicy(1, agreement(scoring={"signals": signals}))

    event = marketing_event(properties={"path": "/pricing/?plan=team"})
    shop = marketing_event(properties={"path": "/pricing/", "url": "https://SHOP.x.com/pricing"})

    assert [it.id for it in policy.signals_of(event)] == ["any", "pricing"]
    assert [it.id for it in policy.signals_of(shop)] == ["any", "pricing", "shop"]
    assert [it.id for it in policy.signals_of(marketing_event())] == ["any"]


def test_what_counts_is_the_same_however_often_and_of_whatever_kind_it_is_asked() -> None:
    signals = [
        {"id": "two", "on": "a", "points": 1, "when": "event.properties.n == 2"},
        {"id": "x", "on": "a", "points": 1, "when": 'event.properties.n == "x"'},
    ]
    policy = ScoringPolicy(1, agreement(scoring={"signals": signals}))

    for _ in range(2):
        for n, counted in ((2, ["two"]), ("x", ["x"]), (2.0, ["two"]), ("2", []), (None, [])):
            event = marketing_event("a", properties={"n": n})
            assert [it.id for it in policy.signals_of(event)] == counted
        assert policy.signals_of(marketing_event("a")) == ()


def test_what_is_remembered_of_texts_is_bounded() -> None:
    signal = {"id": "x", "on": "a", "points": 1, "when": 'event.properties.n == "7"'}
    policy = ScoringPolicy(1, agreement(scoring={"signals": [signal]}))

    counted = [
        len(policy.signals_of(marketing_event("a", properties={"n": str(n)})))
        for n in range(MAX_ANSWERS + 9)
    ]

    assert sum(counted) == counted[7] == 1


def test_all_traits_are_facts_where_conditions_do_not_show_which_they_read() -> None:
    qualification = {
        "hand_raise": ["demo_requested"],
        "require": ["email"],
        "tiers": [{"id": "all", "when": "lead == lead"}],
    }
    policy = ScoringPolicy(1, agreement(qualification=qualification))

    assert policy.qualification_traits == policy.kept_traits
    assert ScoringPolicy(1, agreement()).qualification_traits == {"company_size", "email"}


def test_readable_types_are_those_of_signals_and_hand_raises() -> None:
    types = ScoringPolicy(1, agreement()).readable_types()

    assert types == {"page_viewed", "form_submitted", "demo_requested"}
