"""How far leads have come to the newest agreement."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from services.scoring.domain.policy import ScoringPolicy
from services.scoring.queries import leads
from shared.agreement.store import Policies


@dataclass(frozen=True, slots=True)
class Progress:
    """The newest version, how many leads there are, and how many are still of an older one.

    `to_judge` leads keep their scores; `to_count` leads are to be counted again from their events.
    """

    version: int
    leads: int
    to_judge: int
    to_count: int

    @property
    def done(self) -> int:
        """How many leads are judged by the newest version."""
        return self.leads - self.to_judge - self.to_count


def progress_of(session: Session, policies: Policies[ScoringPolicy]) -> Progress:
    """The progress now; raises NoAgreement."""
    policy = policies.current(session)
    counts = leads.counts_by_version(session)
    older = {version: count for version, count in counts.items() if version != policy.version}
    to_judge = sum(
        count
        for version, count in older.items()
        if policy.counts_like(policies.version(session, version))
    )
    return Progress(
        version=policy.version,
        leads=sum(counts.values()),
        to_judge=to_judge,
        to_count=sum(older.values()) - to_judge,
    )
