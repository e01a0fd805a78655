"""The channel by which a lead came, by its touches."""

from __future__ import annotations

from services.alignment.domain.attribution import Touch
from services.alignment.domain.facts import Key
from services.alignment.domain.touches import TouchHistory, channels_of
from tests.builders import an_id
from tests.services.alignment.builders import after_noon

EARLY, LATE = Touch(after_noon(-9), "email", None), Touch(after_noon(-1), "paid_search", "autumn")
AFTER = Touch(after_noon(1), "direct", None)


def test_the_channel_is_that_of_the_last_touch_before_the_lead_qualified() -> None:
    assert TouchHistory(None, [AFTER, LATE, EARLY]).channel(after_noon(0)) == "paid_search"


def test_a_lead_that_was_touched_later_only_has_the_channel_of_its_first_touch() -> None:
    later = AFTER._replace(at=after_noon(7), channel="event")
    assert TouchHistory(None, [later, AFTER]).channel(after_noon(0)) == "direct"
    assert TouchHistory(None, [LATE, EARLY]).channel(None) == "email"


def test_what_was_announced_at_the_qualification_is_not_doubted() -> None:
    assert TouchHistory("social", [EARLY, LATE]).channel(after_noon(0)) == "social"


def test_a_lead_without_touches_has_no_channel() -> None:
    assert TouchHistory(None).channel(after_noon(0)) is None


def test_handoffs_whose_touches_are_not_known_have_no_channel_yet() -> None:
    ada, linus = Key(an_id("ada"), 1), Key(an_id("linus"), 1)
    qualified_at = {ada: after_noon(0), linus: after_noon(0)}

    assert channels_of(qualified_at, {ada: TouchHistory(None, [LATE])}) == {ada: "paid_search"}
