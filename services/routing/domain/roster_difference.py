"""What an import of the file of reps changes, before it takes effect."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.routing.domain.accounts import AccountsDifference
from services.routing.domain.roster import Absence, Rep

FIELDS = {
    "name": "name",
    "email": "email",
    "team": "team",
    "territories": "territories",
    "languages": "languages",
    "skills": "skills",
    "segments": "segments",
    "weight": "weight",
    "open_limit": "capacity.open",
    "per_day_limit": "capacity.per_day",
    "hours": "hours",
    "time_off": "time_off",
    "active": "active",
}
"""The fields of a rep that are compared, each with its name in the file."""
RANK = "rank"
"""The name of a change of a rep's rank in the team."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field of a rep that changes, as text."""

    rep: str
    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RosterDifference:
    """What an import changes."""

    added: list[str]
    """Reps who are new."""
    inactive: list[str]
    """Reps who are not in the file, and become inactive."""
    changed: list[FieldChange]
    endpoints: list[str]
    """Endpoints that are new or get another URL."""
    enabled: list[str]
    """Disabled endpoints that are used again."""
    accounts: AccountsDifference | None
    """None where the file leaves accounts as they are."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes."""
        lists = (self.added, self.inactive, self.changed, self.endpoints, self.enabled)
        return not any(lists) and (self.accounts is None or self.accounts.is_empty)


@dataclass(frozen=True, slots=True)
class ImportedRoster:
    """The reps and the endpoints of a file, or those that are stored."""

    reps: Sequence[Rep]
    endpoints: Mapping[str, object]
    """What each endpoint is, by its id."""


def difference_of(
    stored: ImportedRoster,
    file: ImportedRoster,
    *,
    disabled: Collection[str],
    accounts: AccountsDifference | None,
) -> RosterDifference:
    """What importing the file changes. Stored reps are without the absences that ops recorded beside the file."""
    before = {it.id: it for it in stored.reps}
    after = {it.id: it for it in file.reps}
    kept = [(before[it.id], it) for it in file.reps if it.id in before]
    return RosterDifference(
        added=[it for it in after if it not in before],
        inactive=[it.id for it in stored.reps if it.active and it.id not in after],
        changed=[*_changed_fields(kept), *_changed_ranks(stored.reps, file.reps)],
        endpoints=[
            id for id, endpoint in file.endpoints.items() if stored.endpoints.get(id) != endpoint
        ],
        enabled=[it for it in file.endpoints if it in disabled],
        accounts=accounts,
    )


def _changed_fields(pairs: Sequence[tuple[Rep, Rep]]) -> Iterator[FieldChange]:
    for before, after in pairs:
        for attribute, field in FIELDS.items():
            old, new = getattr(before, attribute), getattr(after, attribute)
            if old != new:
                yield FieldChange(after.id, field, _text(old), _text(new))


def _changed_ranks(stored: Sequence[Rep], reps: Sequence[Rep]) -> Iterator[FieldChange]:
    """Active reps whose rank among the active ones of the team changes, of those who are in it before and after."""
    teams_before = {it.id: it.team for it in stored if it.active}
    teams_after = {it.id: it.team for it in reps if it.active}
    stays = {id for id, team in teams_after.items() if teams_before.get(id) == team}
    before, after = _ranks(stored, stays), _ranks(reps, stays)
    for id, rank in after.items():
        if before[id] != rank:
            yield FieldChange(id, RANK, str(before[id]), str(rank))


def _ranks(reps: Sequence[Rep], ids: Collection[str]) -> dict[str, int]:
    """The rank of each of these reps in the team, from 1."""
    counts, ranks = defaultdict[str, int](int), dict[str, int]()
    for rep in sorted(reps, key=lambda it: it.position):
        if rep.id in ids:
            counts[rep.team] += 1
            ranks[rep.id] = counts[rep.team]
    return ranks


def _text(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, Absence):
        return f"{value.since:%Y-%m-%dT%H:%MZ} to {value.until:%Y-%m-%dT%H:%MZ}"
    if isinstance(value, tuple):
        return ", ".join(map(_text, value)) or "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)
