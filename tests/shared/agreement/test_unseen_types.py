"""Types of events that have not arrived lately are named, with the one that has the most similar name."""

from __future__ import annotations

from shared.agreement.load import parse
from shared.agreement.unseen_types import unseen_types
from tests.shared.agreement.builders import changed


def test_a_type_that_has_not_arrived_is_named_with_the_nearest_one() -> None:
    agreement = parse(changed("on: page_viewed", "on: page_view"))

    problems = {it.path: it.message for it in unseen_types(agreement, {"page_viewed", "x"})}

    assert problems == {
        ("scoring", "signals", 0, "on"): (
            "no event of the type `page_view` in the last 30 days; did you mean `page_viewed`?"
        ),
        ("scoring", "signals", 1, "on"): "no event of the type `email_clicked` in the last 30 days",
    }


def test_before_any_event_nothing_is_said() -> None:
    assert list(unseen_types(parse(changed("name: Test", "name: T")), set())) == []
