"""Time zones of cities and codes of countries, for suggestions where a calendar has an unknown one."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import cache
from importlib import import_module
from zoneinfo import available_timezones

from holidays import list_supported_countries
from holidays.registry import COUNTRIES

from shared.documents.spelling import closest


def zone_of_city(name: str) -> str | None:
    """The zone of the city in `Europe/Frankfurt` or `Frankfurt`, or None where there is none, or more than one.

    Cities are those that have an area code of their own for the telephone; their zones are those of these codes.
    """
    region, _, city = name.rpartition("/")
    whole, longer = _zones_of(_plain(city.replace("_", " ")))
    for zones in (whole, longer):
        counts = Counter(it for it in zones if not region or it.startswith(f"{region}/"))
        if len(counts) == 1 or (region and counts):
            return counts.most_common(1)[0][0]
    return None


def _zones_of(city: str) -> tuple[list[str], list[str]]:
    """The zone of each area code with this name, and of those with a longer one: `Frankfurt am Main`.

    The codes are loaded only when a zone is unknown: they take 40 MB.
    """
    codes = import_module("phonenumbers.geodata").GEOCODE_DATA
    whole, longer = [], []
    for code, names in codes.items():
        name = names.get("en", "").partition(",")[0].partition("/")[0]
        if name[:1].casefold() == city[:1] and _plain(name).startswith(city):
            rest = _plain(name)[len(city) :]
            if not rest:
                whole += _zones_of_code(code)
            elif rest.startswith(" "):
                longer += _zones_of_code(code)
    return whole, longer


def _zones_of_code(code: str) -> list[str]:
    """The zone of a telephone's area code, if it has one only."""
    zones_by_code = import_module("phonenumbers.tzdata").TIMEZONE_DATA
    prefixes = (code[:length] for length in range(len(code), 0, -1))
    zones = next((zones_by_code[it] for it in prefixes if it in zones_by_code), ())
    return [it for it in zones if len(zones) == 1 and it in available_timezones()]


def _plain(name: str) -> str:
    """The name in lower case, without accents."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(it for it in decomposed if not unicodedata.combining(it)).strip()


def country_code(name: str) -> str | None:
    """The code of two letters of the country that the text means: `UK`, `uk`, `GBR`, `Germany`; None if none does."""
    text = name.strip().casefold()
    if text in MISTAKEN:
        return MISTAKEN[text]
    codes = _codes_by_name()
    if text not in codes and len(text) > 3:
        text = closest(text, codes) or text
    return codes.get(text)


MISTAKEN = {"uk": "GB", "en": "GB", "england": "GB", "el": "GR", "usa": "US", "america": "US"}
"""Texts that people write for a code, and the code."""


@cache
def _codes_by_name() -> dict[str, str]:
    """Codes of two letters by the countries' codes and names in lower case."""
    known = list_supported_countries()
    codes = {it.casefold(): it for it in known if len(it) == 2}
    for name, (_, code, *others) in COUNTRIES.items():
        codes |= {it.casefold(): code for it in (name.replace("_", " "), *others) if code in known}
    return codes
