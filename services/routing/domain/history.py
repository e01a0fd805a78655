"""What earlier handoffs of a person decide about the next one: who had them, and who refused them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from services.routing.domain.handoff import State


@dataclass(frozen=True, slots=True)
class EarlierHandoff:
    """A handoff that a lead has, or had."""

    id: UUID
    lead_id: UUID
    qualification: int
    state: State
    rep: str | None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rep's rejection of a handoff."""

    lead_id: UUID
    rep: str
    is_final: bool
    """Whether it returned the lead to marketing, or disqualified it: the rep never gets the lead again."""
    recycled: bool = False
    """Whether it returned the lead to marketing."""


class BrokenPromise(NamedTuple):
    """A rep broke the promise about a hop."""

    lead_id: UUID
    rep: str


class LeadHistory(NamedTuple):
    """What the earlier handoffs of a person say about reps."""

    previous_rep: str | None = None
    """The rep of the last closed handoff; None if this rep ever refused the person."""
    refused_by: frozenset[str] = frozenset()
    """Reps who returned the person to marketing, or disqualified them: they never get them again."""
    cycles: int = 0
    """How often the person was returned to marketing."""
    lost_by: frozenset[str] = frozenset()
    """Reps who refused the person, or broke a promise about them: they do not get back what another rep had to give."""


NO_HISTORY = LeadHistory()
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class KnownLeads:
    """Leads with their handoffs and refusals. Leads that were merged are one person, and share all of these."""

    survivors: Mapping[UUID, UUID]
    """The lead that a merged one belongs to now; leads that were not merged are absent."""
    handoffs: Sequence[EarlierHandoff]
    refusals: Sequence[Refusal]
    broken_promises: Sequence[BrokenPromise] = ()

    def person(self, lead_id: UUID) -> UUID:
        """The lead that stands for the person: the one that stayed in all merges."""
        return self.survivors.get(lead_id, lead_id)

    def live(self) -> dict[UUID, UUID]:
        """The live handoff of each person who has one."""
        return {self.person(it.lead_id): it.id for it in self.handoffs if it.state.live}

    def histories(self) -> dict[UUID, LeadHistory]:
        """The history of each person who has one."""
        refused, final = defaultdict[UUID, set[str]](set), defaultdict[UUID, set[str]](set)
        cycles = Counter[UUID]()
        for refusal in self.refusals:
            person = self.person(refusal.lead_id)
            refused[person].add(refusal.rep)
            cycles[person] += refusal.recycled
            if refusal.is_final:
                final[person].add(refusal.rep)
        lost = defaultdict[UUID, set[str]](set, {it: set(reps) for it, reps in refused.items()})
        for broken in self.broken_promises:
            lost[self.person(broken.lead_id)].add(broken.rep)
        previous = self._previous_reps()
        return {
            person: LeadHistory(
                None if previous.get(person) in refused[person] else previous.get(person),
                frozenset(final[person]),
                cycles[person],
                frozenset(lost[person]),
            )
            for person in {*previous, *lost}
        }

    def _previous_reps(self) -> dict[UUID, str]:
        """The rep of each person's last closed handoff that had one."""
        closed = [(it, it.rep) for it in self.handoffs if it.rep and not it.state.live]
        closed.sort(key=lambda pair: (pair[0].qualification, pair[0].closed_at or _LONG_AGO))
        return {self.person(handoff.lead_id): rep for handoff, rep in closed}
