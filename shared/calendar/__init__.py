"""Arithmetic on working hours: whether a calendar is open, when it opens, when an amount of open time has passed."""

from __future__ import annotations

from shared.calendar.changing import ChangingHours, WorkingHours
from shared.calendar.closures import InvalidCalendar
from shared.calendar.compiled import CompiledCalendar, Skipped, compile_calendar

__all__ = [
    "ChangingHours",
    "CompiledCalendar",
    "InvalidCalendar",
    "Skipped",
    "WorkingHours",
    "compile_calendar",
]
