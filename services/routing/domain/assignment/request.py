"""Checks the rep whom ops name for a handoff, like any candidate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from services.routing.domain.assignment.eligibility import (
    Exclusion,
    ExclusionReason,
    MatchedLead,
    RequestedRep,
    exclusions,
)
from services.routing.domain.policy import TeamPolicy
from services.routing.domain.roster import RepLoad
from shared.errors import Rejected

NAMED, FORCED = "named", "forced"
"""The strategies of a handoff that goes to the rep whom ops name: as eligible, or by force."""
OVERRIDABLE = frozenset({ExclusionReason.FULL, ExclusionReason.FULL_TODAY, ExclusionReason.CLOSED})
"""What ops may override: capacity and working hours."""


class UnknownRep(Rejected):
    """Ops name a rep whom the roster does not have."""

    code: ClassVar[str] = "unknown_rep"


class NotEligible(Rejected):
    """Ops name a rep who may not have the handoff."""

    code: ClassVar[str] = "not_eligible"
    status: ClassVar[int] = 409


def check_request(
    request: RequestedRep,
    lead: MatchedLead,
    load: RepLoad | None,
    *,
    policy: TeamPolicy,
    now: datetime,
) -> tuple[RepLoad, str]:
    """The load of the named rep, and the strategy: `forced` where an exclusion is overridden, else `named`.

    Raises UnknownRep, or NotEligible with every exclusion.
    """
    if load is None:
        raise UnknownRep(f"there is no rep {request.rep!r}; `leadbaton reps list` shows all reps")
    excluded = exclusions(lead, load, policy=policy, now=now)
    overridden = [it for it in excluded if request.force and it.reason in OVERRIDABLE]
    if len(overridden) < len(excluded):
        raise NotEligible(_refusal_text(request, excluded))
    return load, FORCED if overridden else NAMED


def _refusal_text(request: RequestedRep, excluded: Sequence[Exclusion]) -> str:
    reasons = "; ".join(it.detail for it in excluded)
    can_force = not request.force and all(it.reason in OVERRIDABLE for it in excluded)
    hint = ". Ops may override this with `force` and a `reason`" if can_force else ""
    return f"rep {request.rep} may not have this handoff: {reasons}{hint}"
