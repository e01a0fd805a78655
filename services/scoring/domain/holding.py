"""Holdings: which rep holds or held a handoff, and what of its lead the rep may therefore see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.scoring.domain.identities import ANONYMOUS, identifiers_in
from services.scoring.domain.lead import Lead, Stage, StageChange, rebuild
from services.scoring.domain.policy import ScoringPolicy
from shared.contracts.payloads import HandoffChanged, MarketingEvent


class Holding(NamedTuple):
    """The time in which a rep holds a handoff; `until` is when scoring learned that it had ended."""

    handoff_id: UUID
    rep: str
    lead_id: UUID
    until: datetime | None = None


class Access(NamedTuple):
    """What a caller sees of a lead: everything, or what was known before `until`."""

    until: datetime | None = None


class Holdings:
    """The holdings of some handoffs, updated change by change."""

    def __init__(self, holdings: Iterable[Holding]) -> None:
        self.changed: dict[tuple[UUID, str], Holding] = {}
        self._handoffs: dict[UUID, dict[str, Holding]] = {}
        for holding in holdings:
            self._handoffs.setdefault(holding.handoff_id, {})[holding.rep] = holding

    def follow(self, change: HandoffChanged, lead_id: UUID) -> None:
        """Give the handoff to the rep of the change, and end the holdings of all other reps."""
        reps = self._handoffs.setdefault(change.handoff_id, {})
        for holding in list(reps.values()):
            if holding.until is None and holding.rep != change.rep:
                self._set(reps, holding._replace(until=change.recorded_at))
        if change.rep is not None:
            self._set(reps, Holding(change.handoff_id, change.rep, lead_id))

    def _set(self, reps: dict[str, Holding], holding: Holding) -> None:
        if reps.get(holding.rep) != holding:
            reps[holding.rep] = holding
            self.changed[holding.handoff_id, holding.rep] = holding


def access_of(untils: Sequence[datetime | None]) -> Access | None:
    """What a rep sees whose holdings of a lead end at these instants; None if the rep sees nothing."""
    ends = [until for until in untils if until is not None]
    if len(ends) < len(untils):
        return Access()
    return Access(max(ends)) if ends else None


def lead_at_loss(
    lead: Lead,
    events: Sequence[MarketingEvent],
    steps: Sequence[StageChange],
    policy: ScoringPolicy,
    now: datetime,
) -> Lead:
    """The lead computed from these of its events and steps, without fields that later ones may have set."""
    qualified_steps = [
        it for it in steps if it.stage is Stage.QUALIFIED and not it.cause.startswith("handoff:")
    ]
    return rebuild(lead, events, policy, now=now)._replace(
        known=any(not key.startswith(ANONYMOUS) for key in identifiers_in(events)),
        stage=steps[-1].stage if steps else Stage.KNOWN,
        qualification=len(qualified_steps),
        armed=False,
        rearm_at=None,
        disqualified_at=None,
        blocker=None,
        hand_raise=None,
        live={},
    )
