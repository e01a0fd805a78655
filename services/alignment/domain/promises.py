"""What the SLA monitor announced of one clock: whether its promise was met or broken."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from shared.contracts.payloads import ClockChange, SlaChanged

COUNTED = frozenset({ClockChange.MET, ClockChange.BREACHED, ClockChange.RETRACTED})
"""The changes of a clock by which its promise is counted."""


class PromiseFacts(NamedTuple):
    """When a promise was last found to be met, broken, or not broken after all."""

    clock_id: UUID
    handoff_id: UUID
    policy: str
    met_at: datetime | None = None
    breached_at: datetime | None = None
    retracted_at: datetime | None = None


class KeptCounts(NamedTuple):
    """How many promises of one policy about a handoff were met, and how many broken."""

    met: int
    broken: int


def promise_facts(changes: Sequence[SlaChanged]) -> list[PromiseFacts]:
    """The facts of each clock that these changes say something of, in the order of the clocks' ids."""
    promises: dict[UUID, PromiseFacts] = {}
    for change in changes:
        if change.change in COUNTED:
            before = promises.get(change.clock_id) or PromiseFacts(
                change.clock_id, change.handoff_id, change.policy
            )
            promises[change.clock_id] = _with_change(before, change)
    return [promises[id] for id in sorted(promises)]


def _with_change(promise: PromiseFacts, change: SlaChanged) -> PromiseFacts:
    """The facts with this change; the later of two instants stays, in whatever order they are read."""
    at = change.detected_at
    match change.change:
        case ClockChange.MET:
            return promise._replace(met_at=_later(promise.met_at, at))
        case ClockChange.BREACHED:
            return promise._replace(breached_at=_later(promise.breached_at, at))
    return promise._replace(retracted_at=_later(promise.retracted_at, at))


def _later(before: datetime | None, at: datetime) -> datetime:
    return at if before is None else max(before, at)
