"""Arithmetic on working hours: whether a calendar is open, when it opens, when an amount of open time has passed."""

from __future__ import annotations

from shared.calendar.compiled import CompiledCalendar, Skipped, compile_calendar
from shared.calendar.hours import InvalidCalendar

__all__ = ["CompiledCalendar", "InvalidCalendar", "Skipped", "compile_calendar"]
