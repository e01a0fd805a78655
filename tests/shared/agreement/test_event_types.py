"""The types that events can have when they arrive."""

from __future__ import annotations

import pytest

from shared.agreement.event_types import can_arrive


@pytest.mark.parametrize(
    ("type_", "arrives"),
    [
        ("page_viewed", True),
        ("pageViewed", True),
        ("com.acme.page", True),
        ("démo_demandée", True),
        ("Page Viewed", False),
        ("page-viewed", False),
        ("", True),
    ],
)
def test_a_type_can_arrive(type_: str, *, arrives: bool) -> None:
    assert can_arrive(type_) == arrives
