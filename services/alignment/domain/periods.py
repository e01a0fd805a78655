"""The periods of reports: a week, a month or a quarter, by its name."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import ClassVar

from shared.errors import Rejected

FIRST_YEAR, LAST_YEAR = 1970, 2199
LONGEST = timedelta(days=366)
_NAME = re.compile(r"([0-9]{4})-(?:W([0-9]{2})|Q([1-4])|([0-9]{2}))", re.ASCII)
EXAMPLES = "2026-W47 (a week), 2026-11 (a month) or 2026-Q4 (a quarter)"


class BadPeriod(Rejected):
    """The period is no week, month or quarter, or is longer than a report may be."""

    code: ClassVar[str] = "bad_period"


def dates_of(name: str) -> tuple[date, date]:
    """The first and the last date of the period of this name; raises BadPeriod."""
    match = _NAME.fullmatch(name)
    if match is None or not FIRST_YEAR <= int(match[1]) <= LAST_YEAR:
        raise BadPeriod(
            f"{name[:20]!r} is no period: write one such as {EXAMPLES}, of the years {FIRST_YEAR} to {LAST_YEAR}"
        )
    year, week, quarter, month = (int(it or 0) for it in match.groups())
    if week or match[2]:
        return _week(year, week)
    first_month = 3 * quarter - 2 if quarter else month
    if not 1 <= first_month <= 12:
        raise BadPeriod(f"{name!r} is no period: a year has the months 01 to 12")
    return date(year, first_month, 1), _month_end(year, first_month + 2 if quarter else month)


def _week(year: int, week: int) -> tuple[date, date]:
    try:
        monday = date.fromisocalendar(year, week, 1)
    except ValueError:
        raise BadPeriod(
            f"the year {year} has no week {week:02}: its last one is {last_week(year)}"
        ) from None
    return monday, monday + timedelta(days=6)


def last_week(year: int) -> int:
    """The number of the last week of the year by ISO 8601: 52 or 53."""
    return date(year, 12, 28).isocalendar().week


def _month_end(year: int, month: int) -> date:
    following = date(year + month // 12, month % 12 + 1, 1)
    return following - timedelta(days=1)
