"""What the SLA monitor announced of one clock: whether its promise was met or broken."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple
from uuid import UUID

from shared.contracts.payloads import ClockChange, SlaChanged

COUNTED = frozenset({ClockChange.MET, ClockChange.BREACHED, ClockChange.RETRACTED})
"""The changes of a clock by which its promise is counted."""
MAX_NAME = 200
"""The characters of the name of a team or a tier that are kept."""


class PromiseFacts(NamedTuple):
    """When a promise was last found to be met, broken, or not broken after all, and what its clock is about.

    The due date, the team and the tier are those of the change that was detected last.
    """

    clock_id: UUID
    handoff_id: UUID
    policy: str
    met_at: datetime | None = None
    breached_at: datetime | None = None
    retracted_at: datetime | None = None
    detected_at: datetime | None = None
    due_on: date | None = None
    team: str = ""
    tier: str = ""

    @property
    def rank(self) -> tuple[datetime, date, str, str]:
        """By which of two facts of one clock the due date, the team and the tier are kept: the greater one."""
        return (
            self.detected_at or _BEFORE_ALL,
            self.due_on or _BEFORE_ALL.date(),
            self.team,
            self.tier,
        )


_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


def promise_facts(changes: Sequence[SlaChanged]) -> list[PromiseFacts]:
    """The facts of each clock that these changes say something of, in the order of the clocks' ids."""
    promises: dict[UUID, PromiseFacts] = {}
    for change in changes:
        if change.change in COUNTED:
            facts = _facts_of(change)
            before = promises.get(change.clock_id)
            promises[change.clock_id] = facts if before is None else _merged(before, facts)
    return sorted(promises.values(), key=lambda it: it.clock_id.int)


def _facts_of(change: SlaChanged) -> PromiseFacts:
    at = change.detected_at
    return PromiseFacts(
        change.clock_id,
        change.handoff_id,
        change.policy,
        met_at=at if change.change is ClockChange.MET else None,
        breached_at=at if change.change is ClockChange.BREACHED else None,
        retracted_at=at if change.change is ClockChange.RETRACTED else None,
        detected_at=at,
        due_on=change.due_on or change.due_at.astimezone(UTC).date(),
        team=change.team[:MAX_NAME],
        tier=change.tier[:MAX_NAME],
    )


def _merged(before: PromiseFacts, after: PromiseFacts) -> PromiseFacts:
    """The facts of both; the later of two instants stays, in whatever order they are read."""
    return max(before, after, key=lambda it: it.rank)._replace(
        met_at=_later(before.met_at, after.met_at),
        breached_at=_later(before.breached_at, after.breached_at),
        retracted_at=_later(before.retracted_at, after.retracted_at),
    )


def _later(first: datetime | None, second: datetime | None) -> datetime | None:
    return max((it for it in (first, second) if it is not None), default=None)
