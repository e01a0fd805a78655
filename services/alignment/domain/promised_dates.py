"""Which dates a promise is counted over: those of the report, or those of the promise's own week, month or quarter."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from shared.agreement.model.promises import Period

DAY = timedelta(days=1)


class PromisedDates(NamedTuple):
    """The dates that a promise is about, all included: it is counted from `first` to `counted`, and due by `last`."""

    first: date
    counted: date
    last: date

    def judged_at(self, now: datetime) -> datetime:
        """The instant of the judgement: now, or the end of the counted dates if that was before."""
        return min(now, midnight(self.counted + DAY))

    def is_over(self, now: datetime) -> bool:
        """Whether the judgement is the last one."""
        return self.judged_at(now) >= midnight(self.last + DAY)

    def has_begun(self, now: datetime) -> bool:
        """Whether any of the time has passed."""
        return now > midnight(self.first)


def promised_dates(per: Period | None, first: date, last: date, now: datetime) -> PromisedDates:
    """The dates of a promise in a report from `first` to `last`.

    A promise without a period is about the report's dates. One `per` week, month or quarter is about that of the last
    day of the report which is not after today, and is counted up to the end of the report.
    """
    if per is None:
        return PromisedDates(first, last, last)
    today = now.astimezone(UTC).date()
    begin, end = dates_around(per, min(last, max(first, today)))
    return PromisedDates(begin, min(last, end), end)


def dates_around(per: Period, day: date) -> tuple[date, date]:
    """The first and the last date of the week, month or quarter of this day."""
    if per == "week":
        monday = day - day.weekday() * DAY
        return monday, monday + 6 * DAY
    months = 1 if per == "month" else 3
    first = day.replace(month=(day.month - 1) // months * months + 1, day=1)
    following = first.month + months
    end = date(first.year + (following > 12), (following - 1) % 12 + 1, 1)
    return first, end - DAY


def midnight(day: date) -> datetime:
    """The beginning of the date in UTC."""
    return datetime.combine(day, time(), UTC)
