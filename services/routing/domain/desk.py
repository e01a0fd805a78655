"""A team's desk: its reps as they stand, and how its days, months and hours are counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from shared.calendar import CompiledCalendar


@dataclass(frozen=True, slots=True)
class Absence:
    """Time off, half-open."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Rep:
    """Somebody who may get leads."""

    id: str
    name: str
    email: str
    team: str
    position: int = 0
    territories: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    weight: float = 1.0
    open_limit: int | None = None
    per_day_limit: int | None = None
    hours: str | None = None
    time_off: tuple[Absence, ...] = ()
    active: bool = True

    def away_until(self, at: datetime) -> datetime | None:
        """When the time off ends that covers this instant, if one does."""
        if not self.time_off:
            return None
        return next((it.until for it in self.time_off if it.since <= at < it.until), None)

    def on_leave(self, at: datetime) -> bool:
        """Whether no lead may come, through no fault of the rep's: that must cost no share."""
        return not self.active or self.away_until(at) is not None

    def facts(self) -> dict[str, Any]:
        """What `rep` is in a rule's `match`."""
        return {
            "id": self.id,
            "name": self.name,
            "email": self.email,
            "team": self.team,
            "territories": list(self.territories),
            "languages": list(self.languages),
            "skills": list(self.skills),
            "segments": list(self.segments),
        }


@dataclass(frozen=True, slots=True)
class Crew:
    """All reps as one import left them."""

    id: int
    reps: Mapping[str, Rep]


class Standing(NamedTuple):
    """A rep with the counts that decide: held now, got today, got this period."""

    rep: Rep
    open: int = 0
    today: int = 0
    assigned: int = 0
    credit: float = 0.0
    last_assigned_at: datetime | None = None
    counted: bool = True
    """False while the rep has no share in this period yet."""

    @property
    def share(self) -> float:
        """What counts against the rep in fair share."""
        return self.assigned + self.credit


@dataclass(frozen=True, slots=True)
class Desk:
    """How one team counts: its hours, its days, its period."""

    team: str
    period: Literal["month", "ever"]
    calendar: CompiledCalendar
    calendars: Mapping[str, CompiledCalendar] = field(default_factory=dict)

    def hours_of(self, rep: Rep) -> CompiledCalendar:
        """The rep's own hours, else the team's."""
        return self.calendars.get(rep.hours or "", self.calendar)

    def calendar_of(self, rep: Rep) -> str | None:
        """The id of the rep's own hours; None means the team's."""
        return rep.hours if rep.hours in self.calendars else None

    def day_of(self, at: datetime) -> tuple[datetime, datetime]:
        """The team's local day around an instant: its first instant, and the next day's."""
        zone = ZoneInfo(self.calendar.calendar.zone)
        day = at.astimezone(zone).date()
        edges = (datetime.combine(it, time(), zone) for it in (day, day + timedelta(days=1)))
        first, last = edges
        return first, last

    def period_of(self, at: datetime) -> str:
        """The key of the period that fair share counts over: `2026-11` in the team's zone, or `ever`."""
        if self.period == "ever":
            return "ever"
        return f"{at.astimezone(ZoneInfo(self.calendar.calendar.zone)):%Y-%m}"
