"""The section `sla`: how fast a handoff is answered."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from shared.agreement.cel.condition import Condition
from shared.agreement.durations import Duration
from shared.agreement.model.base import Id, Section
from shared.agreement.model.calendar import Calendar
from shared.contracts.payloads import Scope
from shared.documents.limits import AtMost, Between

BusinessTime = Annotated[Duration, Between(timedelta(0), timedelta(days=365))]


class Anchor(StrEnum):
    """The handoff's change that starts a clock."""

    QUALIFIED = "qualified"
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    WON = "won"


class EscalationStep(Section):
    """One step of a ladder: who is notified, before a breach or after it, or what is done after it."""

    before: Annotated[Duration | None, Between(timedelta(seconds=1), timedelta(days=365))] = Field(
        default=None,
        description="Business time before the due time; less than the target. Without it the step is after the breach.",
    )
    after: BusinessTime = Field(default=timedelta(0), description="Business time after the breach.")
    notify: Literal["rep", "lead", "team", "ops"] | None = Field(
        default=None,
        description="Who is notified: the rep, the `lead` of the team, the team's fallback endpoint, or ops. In place "
        "of a person without an endpoint it is the team; in place of a team without one it is ops.",
    )
    do: Literal["reassign", "return_to_pool", "set_unavailable"] | None = Field(
        default=None,
        description="In place of `notify`, of promises of a hop: what becomes of a handoff that its rep has not "
        "accepted. `reassign`: another rep gets it, who never refused the lead or broke a promise about it; after "
        "`max_hops` reps it returns to the pool. `return_to_pool`: it waits until ops assign it, and the `lead` of the "
        "team is notified. An answer that comes first wins. A rep who goes on time off loses at once what a ladder "
        "would reassign later. `set_unavailable`: the rep gets no leads for so long, unless ops end that absence.",
    )
    lasts: Annotated[Duration | None, Between(timedelta(minutes=1), timedelta(days=90))] = Field(
        default=None,
        alias="for",
        description="Only with `set_unavailable`, and needed there: how long; wall time.",
    )
    quiet_hours: Literal["send", "wait"] = Field(
        default="send",
        description="Only with `rep` and `lead`. `wait`: outside the hours of that person the message waits until they "
        "begin; it is cancelled if the promise is met or the handoff closes before. All else happens at its time.",
    )


class Policy(Section):
    """One promise: what must happen, within which time, counted in which hours."""

    id: Id
    kind: Literal["accept", "first_touch", "meeting", "outcome", "attempts", "satisfaction"] = (
        Field(
            description="`accept` is met when the rep accepts, `first_touch` when the rep contacts, `meeting` by a "
            "contact with one of the `outcomes`, `outcome` when the handoff is won or lost, `attempts` by `count` "
            "attempts to contact, or by the first that reaches the person. A win meets all of these. `satisfaction` is "
            "met after the win, by a contact with one of the `outcomes`."
        )
    )
    scope: Scope = Field(
        description="`hop` starts anew with each rep; `journey` runs once, whichever rep has the lead."
    )
    anchor: Anchor = Field(description="The change that starts the clock.")
    when: Condition | None = Field(
        default=None,
        description="CEL over tier, team, sources, campaign and persona; without it the policy applies to every "
        "handoff.",
    )
    target: BusinessTime = Field(description="Business time.")
    warn_at: float = Field(
        default=0.8,
        gt=0,
        lt=1,
        description="A clock is at risk once this part of the target has passed.",
    )
    outcomes: Annotated[tuple[Id, ...], AtMost(50)] = Field(
        default=(),
        description="Of `meeting` and `satisfaction`: the outcomes of `routing.contact_outcomes` that meet it.",
    )
    count: Annotated[int, Between(1, 50)] = Field(
        default=1, description="Of `attempts`: so many attempts meet it."
    )
    spread: Annotated[Duration, Between(timedelta(0), timedelta(days=365))] = Field(
        default=timedelta(0),
        description="Of `attempts`: at least so long after the first one comes the last one that counts; wall time.",
    )
    warn_before: Annotated[Duration | None, Between(timedelta(seconds=1), timedelta(days=365))] = (
        Field(
            default=None,
            description="In place of `warn_at`: business time before the due time from which a clock is at risk.",
        )
    )
    roll_to_next_open: bool = Field(
        default=False,
        description="Whether a due time that falls exactly on the end of working hours moves to their next beginning.",
    )
    ladder: Annotated[tuple[EscalationStep, ...], AtMost(20)] = Field(
        default=(EscalationStep(notify="team"),),
        description="Who is notified, and when: as written when the clock started. `[]` is silence: a breach is "
        "recorded and shown, and nobody is notified.",
    )

    @property
    def warn_after(self) -> timedelta:
        """The business time after which a clock is at risk."""
        if self.warn_before is None:
            return self.target * self.warn_at
        return max(timedelta(0), self.target - self.warn_before)


class Sla(Section):
    """How fast a handoff is answered."""

    max_hops: Annotated[int, Between(1, 100)] = Field(
        default=3,
        description="How many reps may get a handoff by steps of ladders; a further step returns it to the pool.",
    )

    calendars: Annotated[tuple[Calendar, ...], AtMost(200)] = Field(
        min_length=1, description="Working hours."
    )
    policies: Annotated[tuple[Policy, ...], AtMost(200)] = Field(
        default=(), description="The promises."
    )
    report_within: BusinessTime = Field(
        default=timedelta(hours=24),
        description="Business time from an answer to its report. A promise that was met and reported later than this "
        "stays met, and attainment counts it as reported late too.",
    )
