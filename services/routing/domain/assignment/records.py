"""A round: leads of one team given out together, and what every decision of it was made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.routing.domain.assignment.eligibility import Case
from services.routing.domain.assignment.selection import Candidate, given, pick
from services.routing.domain.policy import (
    TeamPolicy,
)
from services.routing.domain.roster import (
    RepLoad,
    Roster,
)

Tally = tuple[str, int, int, int, float, datetime | None, bool]
"""A standing as it is kept: with the id of the rep, whom the crew knows."""

DIFFERS_LITTLE = 4
"""A bench is kept as what differs from another where that is at most one rep of so many."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """The reps as they stood before it, and who was picked, in order. So a decision needs no list of all reps."""

    team: str
    decided_at: datetime
    agreement_version: int
    """By which the team counted its hours, days and periods."""
    loads: Sequence[RepLoad]
    picks: Sequence[str]


def candidates(
    it: Allocation, case: Case, *, place: int, policy: TeamPolicy
) -> tuple[Candidate, ...]:
    """Each rep as the decision saw them, after so many leads of the round: with a shortfall, or why not."""
    loads = given(it.loads, it.picks[:place], policy=policy, now=it.decided_at)
    return pick(case, loads, policy=policy, now=it.decided_at).candidates


def tallied(loads: Sequence[RepLoad]) -> dict[str, Tally]:
    """The bench as it is kept, by rep."""
    return {it.rep.id: (it.rep.id, *it[1:]) for it in loads}


def seated(tallies: Mapping[str, Tally], roster: Roster) -> list[RepLoad]:
    """The bench that was kept so."""
    return [
        RepLoad(roster.reps[id], open_, today, assigned, credit, last_assigned_at, counted)
        for id, open_, today, assigned, credit, last_assigned_at, counted in tallies.values()
    ]


def differing(now: Mapping[str, Tally], base: Mapping[str, Tally]) -> list[Tally] | None:
    """What makes `now` of `base`, where that is little."""
    if not base.keys() <= now.keys():
        return None
    other = [it for id, it in now.items() if base.get(id) != it]
    return other if len(other) * DIFFERS_LITTLE <= len(now) else None
