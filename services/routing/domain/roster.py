"""Reps as the last import left them, and the load of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Absence:
    """Time off: from `since` until just before `until`."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Rep:
    """A person who gets leads."""

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
        """Whether the rep is inactive or on time off; leads that others get meanwhile are credited."""
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
class Roster:
    """All reps of one import."""

    id: int
    reps: Mapping[str, Rep]


class RepLoad(NamedTuple):
    """A rep with their counts: open handoffs, assignments of today, assignments of this period, and credit."""

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
