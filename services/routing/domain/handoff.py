"""A handoff and its steps, which are numbered and announced."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import NAMESPACE_OID, UUID, uuid5

import orjson

from shared.agreement.facts import promise_facts
from shared.contracts.campaigns import campaign_name
from shared.contracts.codec import encode
from shared.contracts.payloads import Change, LeadQualified


class State(StrEnum):
    """The state of a handoff."""

    WAITING = "waiting"
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    CONTACTED = "contacted"
    WON = "won"
    LOST = "lost"
    RECYCLED = "recycled"
    DISQUALIFIED = "disqualified"
    RETURNED = "returned"
    MERGED = "merged"

    @property
    def held(self) -> bool:
        """Whether a rep holds the handoff."""
        return self in (State.ASSIGNED, State.ACCEPTED, State.CONTACTED)

    @property
    def live(self) -> bool:
        """Whether the handoff is not at its end: its lead gets no second one meanwhile."""
        return self.held or self is State.WAITING


MERGED = "merged"
"""The reason of the step that ends a handoff because its person has another live one."""
RETURNED_TO_POOL = "returned_to_pool"
"""The reason of the step after which the handoff waits in the pool."""
RECYCLE, DISQUALIFY = "recycle", "disqualify"
"""What may follow from the reason of a rejection, besides another rep."""
SYSTEM = "leadbaton"
"""The actor of steps that follow from the agreement, without an answer or a command."""


class Handoff(NamedTuple):
    """A qualified lead on its way to a rep.

    A named tuple, because batches make thousands: a frozen dataclass of so many fields takes three times as long.
    """

    id: UUID
    lead_id: UUID
    qualification: int
    state: State
    team: str
    rule: str
    tier: str
    tier_rank: int
    """The tier's position in the agreement; 0 is the hottest."""
    qualified_at: datetime
    agreement_version: int
    lead: LeadQualified
    rep: str | None = None
    calendar: str | None = None
    """The holder's own hours; None means the team's."""
    hop: int = 0
    sequence: int = 0
    assigned_at: datetime | None = None
    closed_at: datetime | None = None
    merged_into: UUID | None = None
    paused_until: datetime | None = None
    """When its last pause is over by itself; over already where this has passed."""
    pause_reason: str | None = None
    traceparent: str | None = None
    pooled: bool = False
    """Whether a ladder returned it to the pool: it waits until ops assign it, and goes to no rep by itself."""
    announced_json: bytes | None = None
    """The qualification's message, where it has just arrived: encoding it again took longer than the decision."""

    @property
    def lead_json(self) -> bytes:
        """The qualification as JSON."""
        return self.announced_json or encode(self.lead)

    @property
    def promise_facts(self) -> dict[str, object]:
        """The facts that the conditions of promises read."""
        context = self.lead.context
        return promise_facts(
            self.tier,
            self.team,
            sources=context.sources,
            campaign=self.campaign,
            persona=context.persona,
        )

    @property
    def campaign(self) -> str | None:
        """The name of the lead's last campaign, or else of its first."""
        context = self.lead.context
        return campaign_name(context.last_campaign) or campaign_name(context.first_campaign)


def handoff_id(lead_id: UUID, qualification: int) -> UUID:
    """The id of the qualification's handoff: the same however often it is announced."""
    return uuid5(NAMESPACE_OID, f"{lead_id}/{qualification}")


class Step(NamedTuple):
    """A change, and the handoff after it."""

    handoff: Handoff
    change: Change
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    details: dict[str, Any]
    """As in HandoffChanged, and the rep's note, which is not announced."""

    def payload(self) -> bytes:
        """The step as JSON of `HandoffChanged`, encoded in a third of the time that its codec takes."""
        handoff, context = self.handoff, self.handoff.lead.context
        fields = {
            "handoff_id": handoff.id,
            "lead_id": handoff.lead_id,
            "qualification": handoff.qualification,
            "sequence": handoff.sequence,
            "change": self.change,
            "occurred_at": self.occurred_at,
            "recorded_at": self.recorded_at,
            "hop": handoff.hop,
            "team": handoff.team,
            "rep": handoff.rep,
            "calendar": handoff.calendar,
            "tier": handoff.tier,
            "qualified_at": handoff.qualified_at,
            "assigned_at": handoff.assigned_at,
            "agreement_version": handoff.agreement_version,
            "sources": context.sources,
            "campaign": handoff.campaign,
            "persona": context.persona,
            "recycle": False,
            "lead_name": context.name or context.email,
            "actor": None if self.actor == SYSTEM else self.actor,
            **self.details,
        }
        fields.pop("note", None)
        present = {name: value for name, value in fields.items() if value is not None}
        return orjson.dumps(present, option=orjson.OPT_UTC_Z)


def next_step(
    handoff: Handoff,
    change: Change,
    *,
    now: datetime,
    occurred_at: datetime | None = None,
    actor: str = SYSTEM,
    **details: Any,
) -> Step:
    """The next step of the handoff. The caller has already set the fields that it changes."""
    numbered = handoff._replace(sequence=handoff.sequence + 1)
    return Step(numbered, change, occurred_at or now, now, actor, details)


def assignment_step(
    handoff: Handoff,
    rep: str,
    *,
    calendar: str | None,
    now: datetime,
    actor: str = SYSTEM,
    **details: Any,
) -> Step:
    """The step that gives the handoff to this rep, as its next hop."""
    after = handoff._replace(
        state=State.ASSIGNED,
        rep=rep,
        calendar=calendar,
        hop=handoff.hop + 1,
        assigned_at=now,
        pooled=False,
    )
    change = Change.ASSIGNED if after.hop == 1 else Change.REASSIGNED
    return next_step(after, change, now=now, actor=actor, **details)


def waiting_step(handoff: Handoff, *, now: datetime, reason: str) -> Step:
    """The step after which the handoff waits, as no rep is eligible."""
    return next_step(_released(handoff, State.WAITING), Change.WAITING, now=now, reason=reason)


def pool_step(handoff: Handoff, *, now: datetime) -> Step:
    """The step with which a ladder returns the handoff to the pool."""
    pooled = _released(handoff, State.WAITING)._replace(pooled=True)
    return next_step(pooled, Change.WAITING, now=now, reason=RETURNED_TO_POOL)


def return_step(
    handoff: Handoff, *, now: datetime, state: State = State.RETURNED, **details: Any
) -> Step:
    """The step that ends the handoff without a rep: its lead ceased to qualify, was handed back or has another."""
    after = _released(handoff, state)._replace(closed_at=now)
    return next_step(after, Change.RETURNED, now=now, **details)


def rejection_step(
    handoff: Handoff, *, now: datetime, occurred_at: datetime, actor: str, **details: Any
) -> Step:
    """The step with which a rep hands the handoff back; another step assigns it again or ends it."""
    return next_step(
        _released(handoff, State.WAITING),
        Change.REJECTED,
        now=now,
        occurred_at=occurred_at,
        actor=actor,
        **details,
    )


def withdrawal_step(handoff: Handoff, *, now: datetime, actor: str, reason: str) -> Step:
    """The step with which ops take the handoff from its rep while no other rep is eligible."""
    released = _released(handoff, State.WAITING)
    return next_step(released, Change.REASSIGNED, now=now, actor=actor, reason=reason)


def _released(handoff: Handoff, state: State) -> Handoff:
    return handoff._replace(
        state=state,
        rep=None,
        calendar=None,
        assigned_at=None,
        paused_until=None,
        pause_reason=None,
    )
