"""Zones are suggested for cities that have none of their own, and codes for the names of countries."""

from __future__ import annotations

import pytest

from shared.agreement.places import country_code, zone_of_city


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Europe/Frankfurt", "Europe/Berlin"),
        ("Europe/Munich", "Europe/Berlin"),
        ("Europe/Krakow", "Europe/Warsaw"),
        ("America/San_Francisco", "America/Los_Angeles"),
        ("Frankfurt", "Europe/Berlin"),
        ("Boston", None),
        ("Europe/Nowhere", None),
    ],
)
def test_the_zone_of_a_city(name: str, zone: str | None) -> None:
    assert zone_of_city(name) == zone


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("UK", "GB"),
        ("de", "DE"),
        ("DEU", "DE"),
        ("Germany", "DE"),
        ("Germny", "DE"),
        ("United Kingdom", "GB"),
        ("GER", None),
        ("Nowhere", None),
    ],
)
def test_the_code_of_a_country(name: str, code: str | None) -> None:
    assert country_code(name) == code
