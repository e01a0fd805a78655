"""Of the topic of the SLA monitor: a clock changed."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from shared.contracts.codec import Instant, Payload, always_encoded


class ClockChange(StrEnum):
    """The kinds of changes of a clock."""

    STARTED = "started"
    AT_RISK = "at_risk"
    BREACHED = "breached"
    MET = "met"
    RETRACTED = "retracted"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    MOVED = "moved"
    CANCELLED = "cancelled"


class Scope(StrEnum):
    """A clock of a hop starts anew with each assignment; a clock of a journey runs once."""

    HOP = "hop"
    JOURNEY = "journey"


class SlaChanged(Payload, frozen=True, kw_only=True):
    """One change of a clock."""

    clock_id: UUID
    handoff_id: UUID
    lead_id: UUID
    hop: int
    policy: str
    kind: Annotated[str, Meta(description="accept, first_touch, …")]
    scope: Scope
    change: ClockChange
    occurred_at: Annotated[
        Instant, Meta(description="When it happened; of a breach, when the clock was due.")
    ]
    detected_at: Instant
    due_at: Instant
    due_on: Annotated[
        date | None,
        Meta(
            description="The date of due_at in the clock's calendar, by which attainment counts; absent in messages of "
            "older versions."
        ),
    ] = None
    team: str
    rep: str | None = None
    tier: str
    agreement_version: int
    step: Annotated[
        str | None,
        Meta(
            description="Of an escalation: who is notified, before the breach or after it: rep, lead, team or ops; or "
            "what is done: reassign, return_to_pool, set_unavailable. Of a breach: team, if the ladder notifies "
            "it at once, else none; absent in messages of older versions, which notified the team of every breach."
        ),
    ] = None
    waits: Annotated[
        bool, Meta(description="Of an escalation: whether it waits for its receiver's hours.")
    ] = always_encoded(default=False)
    lasts_s: Annotated[int | None, Meta(description="Of set_unavailable: how long it lasts.")] = (
        None
    )
    actor: Annotated[str | None, Meta(description="Of an acknowledgement: ops/NAME.")] = None
    note: Annotated[str | None, Meta(description="Of an acknowledgement: what they noted.")] = None
