"""What a signal's condition may know of an event."""

from __future__ import annotations

from typing import Any

import pytest

from services.scoring.domain.rules import Rules, event_facts
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
    ]
    rules = Rules(1, agreement(scoring={"signals": signals}))

    event = marketing_event(properties={"path": "/pricing"})

    assert [it.id for it in rules.counting(event)] == ["any", "pricing"]
    assert [it.id for it in rules.counting(marketing_event())] == ["any"]


def test_worth_reading_is_what_counts_and_what_asks() -> None:
    worth = Rules(1, agreement()).worth_reading()

    assert worth == {"page_viewed", "form_submitted", "demo_requested"}
