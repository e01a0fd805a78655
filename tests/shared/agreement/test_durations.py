"""Durations as files have them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.agreement.durations import duration, half_life


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", timedelta(seconds=90)),
        (" 1.5m ", timedelta(seconds=90)),
        ("4h", timedelta(hours=4)),
        ("30d", timedelta(days=30)),
        (timedelta(1), timedelta(1)),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: object, length: timedelta) -> None:
    assert duration(text) == length
    assert half_life(text) == length


@pytest.mark.parametrize("text", ["90", "m", "15 minutes", "-5m", "1h30m", 90, None, "never"])
def test_anything_else_is_none(text: object) -> None:
    with pytest.raises(ValueError, match="a number and a unit: 90s, 15m, 4h or 30d"):
        duration(text)


def test_points_may_never_fade() -> None:
    assert half_life("never") is None
