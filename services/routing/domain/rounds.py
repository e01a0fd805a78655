"""A round: leads of one team given out together, and what every decision of it was made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.routing.domain.desk import Desk, Standing
from services.routing.domain.eligibility import Case
from services.routing.domain.picking import Candidate, given, pick


@dataclass(frozen=True, slots=True)
class Round:
    """The reps as they stood before it, and who was picked, in order. So a decision needs no list of all reps."""

    team: str
    decided_at: datetime
    agreement_version: int
    """By which the team counted its hours, days and periods."""
    bench: Sequence[Standing]
    picks: Sequence[str]


def candidates(it: Round, case: Case, *, place: int, desk: Desk) -> tuple[Candidate, ...]:
    """Each rep as the decision saw them, after so many leads of the round: with a shortfall, or why not."""
    bench = given(it.bench, it.picks[:place], desk=desk, now=it.decided_at)
    return pick(case, bench, desk=desk, now=it.decided_at).candidates
