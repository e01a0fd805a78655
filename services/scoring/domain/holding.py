"""Who holds a lead's handoffs, or held them: what a rep may see of the lead."""

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
    """A rep's time with a handoff; one that has ended names when we learned that it had."""

    handoff_id: UUID
    rep: str
    lead_id: UUID
    until: datetime | None = None


class Access(NamedTuple):
    """What somebody sees of a lead: all of it, or what was known before `until`."""

    until: datetime | None = None


class Holdings:
    """The holdings of some handoffs, followed change by change."""

    def __init__(self, holdings: Iterable[Holding]) -> None:
        self.changed: dict[tuple[UUID, str], Holding] = {}
        self._handoffs: dict[UUID, dict[str, Holding]] = {}
        for holding in holdings:
            self._handoffs.setdefault(holding.handoff_id, {})[holding.rep] = holding

    def follow(self, change: HandoffChanged, lead_id: UUID) -> None:
        """Whom the change names holds the handoff from now on; everybody else's time with it has ended."""
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
    """What a rep with these holdings of a lead sees of it; None: nothing."""
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
    """The lead as these events and steps of it have it, without what only later ones can have set."""
    entered = [
        it for it in steps if it.stage is Stage.QUALIFIED and not it.cause.startswith("handoff:")
    ]
    return rebuild(lead, events, policy, now=now)._replace(
        known=any(not key.startswith(ANONYMOUS) for key in identifiers_in(events)),
        stage=steps[-1].stage if steps else Stage.KNOWN,
        qualification=len(entered),
        armed=False,
        blocker=None,
        raised=None,
        live={},
    )
