"""The filters of templates."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from services.console.rendering import Frame, Renderer
from tests.builders import NOON


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("none | time", "\u2013"),
        ("none | due", "\u2013"),
        ("none | duration", "\u2013"),
        ("'PT3H20M' | duration", "3 h 20 min"),
        ("90.5 | duration", "1 min"),
        ("'<b>' ~ 1", "&lt;b&gt;1"),
    ],
)
def test_a_filter_writes_what_people_read(expression: str, text: str) -> None:
    frame = Frame("Now", "/", NOON, ZoneInfo("UTC"))
    template = Renderer()._environment.from_string("{{ " + expression + " }}")
    assert template.render(frame=frame) == text
