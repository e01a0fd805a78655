"""Public holidays: as the installed package has them, and as they are kept with a version of the agreement."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from holidays import HolidayBase, country_holidays

from shared.agreement.model import Agreement

YEARS_BEFORE, YEARS_AFTER = 1, 11
"""So many years before and after that of its publication a version keeps the holidays."""
_ENGLISH = "en_US"

KeptHolidays = Mapping[str, Any]
"""By the name of a set: `first_year`, `last_year`, and the name of each holiday by its date."""


def holidays_of(name: str) -> HolidayBase:
    """The set of a country or a subdivision, such as DE-BE; its names do not depend on the machine's language.

    The package computes a year when one of its dates is read first. Raises NotImplementedError for an unknown set.
    """
    country, _, subdivision = name.partition("-")
    known = country_holidays(country, subdiv=subdivision or None)
    language = _ENGLISH if _ENGLISH in known.supported_languages else known.default_language
    return country_holidays(country, subdiv=subdivision or None, language=language)


def set_names(agreement: Agreement) -> list[str]:
    """The holiday sets that the calendars name, each once."""
    return sorted({name for it in agreement.sla.calendars for name in it.holidays})


def resolved(agreement: Agreement, *, year: int) -> KeptHolidays:
    """The holidays of each set around the year, as the installed package has them; unknown sets are left out."""
    sets = {}
    for name in set_names(agreement):
        try:
            sets[name] = _resolved_set(name, year - YEARS_BEFORE, year + YEARS_AFTER)
        except NotImplementedError:
            continue
    return sets


def with_holidays(agreement: Agreement, kept: KeptHolidays | None) -> Agreement:
    """The agreement with the holidays that were kept with its version; one that kept none is as it was."""
    if not kept:
        return agreement
    calendars = tuple(
        it.model_copy().keep_holidays(_text(kept, it.holidays)) for it in agreement.sla.calendars
    )
    return agreement.model_copy(
        update={"sla": agreement.sla.model_copy(update={"calendars": calendars})}
    )


def _text(kept: KeptHolidays, names: Iterable[str]) -> str:
    sets = {name: kept[name] for name in names if name in kept}
    return json.dumps(sets, sort_keys=True) if sets else ""


def _resolved_set(name: str, first_year: int, last_year: int) -> Mapping[str, Any]:
    holidays = holidays_of(name)
    first_year = max(first_year, holidays.start_year)
    last_year = min(last_year, holidays.end_year)
    for year in range(first_year, last_year + 1):
        holidays.get(date(year, 1, 1))
    days = {
        day.isoformat(): label
        for day, label in sorted(holidays.items())
        if first_year <= day.year <= last_year
    }
    return {"first_year": first_year, "last_year": last_year, "days": days}
