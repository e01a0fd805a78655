"""The periods of reports by name: weeks, months and quarters of UTC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

WEEK = timedelta(days=7)


def week_of(day: date) -> str:
    """The name of the day's week, such as `2026-W47`."""
    year, week, _ = day.isocalendar()
    return f"{year:04}-W{week:02}"


def month_of(day: date) -> str:
    """The name of the day's month, such as `2026-11`."""
    return f"{day:%Y-%m}"


def quarter_of(day: date) -> str:
    """The name of the day's quarter, such as `2026-Q4`."""
    return f"{day.year:04}-Q{(day.month + 2) // 3}"


def choices(today: date) -> Mapping[str, str]:
    """The periods that a page offers, by how people call them."""
    month_before = today.replace(day=1) - timedelta(days=1)
    return {
        "This week": week_of(today),
        "Last week": week_of(today - WEEK),
        "This month": month_of(today),
        "Last month": month_of(month_before),
        "This quarter": quarter_of(today),
    }


def weeks_until(day: date, count: int) -> list[str]:
    """The names of so many weeks, the last of which is the day's."""
    return [week_of(day - WEEK * index) for index in reversed(range(count))]


def date_text(day: date) -> str:
    """The date as `29 Nov 2026`."""
    return f"{day.day} {day:%b} {day.year}"


def dates_text(since: str, until: str) -> str:
    """The dates of a report, both included, as `23 Nov to 29 Nov 2026`."""
    first, last = date.fromisoformat(since), date.fromisoformat(until)
    end = date_text(last)
    if first == last:
        return end
    year = "" if first.year == last.year else f" {first.year}"
    return f"{first.day} {first:%b}{year} to {end}"
