"""Durations as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.agreement.durations import duration, half_life


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("90s", timedelta(seconds=90)),
        (" 1.5m ", timedelta(seconds=90)),
        ("4h", timedelta(hours=4)),
        ("30d", timedelta(days=30)),
        (timedelta(1), timedelta(1)),
    ],
)
def test_a_duration_is_a_number_and_a_unit(said: object, meant: timedelta) -> None:
    assert duration(said) == meant
    assert half_life(said) == meant


@pytest.mark.parametrize("said", ["90", "m", "15 minutes", "-5m", "1h30m", 90, None, "never"])
def test_anything_else_is_none(said: object) -> None:
    with pytest.raises(ValueError, match="a number and a unit: 90s, 15m, 4h or 30d"):
        duration(said)


def test_points_may_never_fade() -> None:
    assert half_life("never") is None
