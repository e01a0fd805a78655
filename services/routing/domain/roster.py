"""Reps as the last import left them, and the load of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, NamedTuple

from shared.errors import Rejected

OPEN_END = datetime(2200, 1, 1, tzinfo=UTC)
"""The end of an absence whose end is not known yet."""


class NoSuchRep(Rejected):
    """There is no such rep."""

    code: ClassVar[str] = "no_such_rep"
    status: ClassVar[int] = 404


@dataclass(frozen=True, slots=True)
class Absence:
    """Time off: from `since` until just before `until`."""

    since: datetime
    until: datetime

    @property
    def is_open_ended(self) -> bool:
        """Whether nobody knows yet when it ends."""
        return self.until >= OPEN_END


@dataclass(frozen=True, slots=True)
class RecordedAbsence:
    """Time off that ops recorded beside the file."""

    absence: Absence
    actor: str


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

    def with_absence(
        self, recorded: RecordedAbsence | None, *, instead_of: RecordedAbsence | None = None
    ) -> Rep:
        """The rep with what ops recorded beside the time off of the file, in place of what they had recorded."""
        time_off = list(self.time_off)
        if instead_of is not None and instead_of.absence in time_off:
            time_off.remove(instead_of.absence)
        if recorded is not None:
            time_off.append(recorded.absence)
        return replace(self, time_off=tuple(time_off))

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
    ids_by_email: Mapping[str, str] = field(default_factory=dict)
    """The reps' ids by their e-mail addresses in lower case; of two reps with one address, an active one's."""

    @classmethod
    def of(cls, id: int, reps: Sequence[Rep]) -> Roster:
        """The roster of these reps, in their order."""
        inactive_first = sorted(reps, key=lambda it: it.active)
        emails = {it.email.lower(): it.id for it in inactive_first}
        return cls(id, {it.id: it for it in reps}, emails)

    def find(self, name: str) -> Rep | None:
        """The rep with this id or e-mail address."""
        name = name.strip().lower()
        return self.reps.get(self.ids_by_email.get(name, name))


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
