"""How the console writes times, durations, numbers and ids."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.console import formats

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (12_000, "3 h 20 min"),
        (7_200, "2 h"),
        (90_000, "1 d 1 h"),
        (86_400 + 60, "1 d"),
        (-3_600, "\u22121 h"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert formats.duration_text(seconds) == text


@given(st.floats(-1e9, 1e9))
def test_every_duration_has_a_text(seconds: float) -> None:
    assert formats.duration_text(seconds).strip()


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (NOW - timedelta(hours=2), "13:00"),
        (NOW - timedelta(days=1), "26 Nov 15:00"),
        (NOW - timedelta(days=400), "23 Oct 2025 16:00"),
        (NOW.replace(hour=23, minute=30), "28 Nov 00:30"),
    ],
)
def test_a_time_is_as_short_as_it_is_clear_in_the_viewers_zone(at: datetime, text: str) -> None:
    assert formats.time_text(at, BERLIN, NOW) == text


def test_an_element_has_the_exact_instant_and_the_zone() -> None:
    element = formats.time_element(NOW, BERLIN, NOW)
    assert 'datetime="2026-11-27T14:00:00+00:00"' in element
    assert 'title="2026-11-27 15:00:00 Europe/Berlin"' in element


def test_what_is_due_says_how_long_it_has() -> None:
    assert ">in 1 h 30 min<" in formats.due_element(NOW + timedelta(minutes=90), BERLIN, NOW)
    assert ">5 min ago<" in formats.due_element(NOW - timedelta(minutes=5), BERLIN, NOW)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1_234_567, "1\u2009234\u2009567"), (-3, "\u22123"), (1.5, "1.5"), (2.0, "2")],
)
def test_numbers_have_thin_spaces(value: float, text: str) -> None:
    assert formats.number_text(value) == text


def test_a_share_is_a_percentage() -> None:
    assert formats.percent_text(0.975) == "97.5\u2009%"
    assert formats.percent_text(1) == "100\u2009%"


def test_an_id_is_short_and_escaped() -> None:
    element = formats.id_element('01934b7a-<"')
    assert ">01934b7a<" in element
    assert "&lt;" in element


@pytest.mark.parametrize(
    ("words", "element"),
    [
        ("start `leadbaton relay`; then wait", "start <code>leadbaton relay</code>; then wait"),
        ("a < b", "a &lt; b"),
        ("an odd `one", "an odd <code>one</code>"),
        ("", ""),
    ],
)
def test_commands_between_backticks_are_code(words: str, element: str) -> None:
    assert formats.with_code(words) == element
