"""When the promises about an assignment are due: by the agreement, and by what has happened to the handoff so far."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from datetime import datetime

from services.routing.domain.answers import PastStep
from services.routing.domain.handoff import Handoff, State
from services.routing.domain.policy import TeamPolicy
from services.routing.domain.promise_pauses import promise_pauses
from shared.agreement.model import Agreement, Anchor, Policy
from shared.calendar import CompiledCalendar
from shared.calendar.pauses import Pause
from shared.calendar.running_time import RunningTime
from shared.contracts.payloads import Change, Scope

_STARTS = {
    Anchor.ASSIGNED: (Change.ASSIGNED, Change.REASSIGNED),
    Anchor.ACCEPTED: (Change.ACCEPTED, Change.CONTACTED, Change.WON),
    Anchor.WON: (Change.WON,),
}
"""The changes at which promises of an anchor begin."""


class DueTimes:
    """When the promises of one agreement are due for the assignments of a team; equal instants are computed once."""

    def __init__(self, agreement: Agreement, team: TeamPolicy) -> None:
        self._policies, self._team = agreement.sla.policies, team
        self._pause_reasons = agreement.routing.pause_reasons
        self._policies_of: dict[Hashable, list[Policy]] = {}
        self._ends: dict[tuple[str, str, datetime], datetime] = {}

    def of(
        self, handoff: Handoff, steps: Sequence[PastStep] = ()
    ) -> Iterator[tuple[Policy, datetime]]:
        """The promises that have begun for the handoff, each with the instant at which it is due, after its pauses.

        `steps` are its steps so far; of a first assignment they may be left out. A won handoff has those alone that
        begin with the win.
        """
        for policy in self.promises(handoff):
            since = beginning(policy, handoff, steps)
            if since is not None:
                pauses = self.pauses(policy, handoff, steps)
                yield policy, self._end(policy, self.hours(policy, handoff), since, pauses)

    def promises(self, handoff: Handoff) -> list[Policy]:
        """The promises that hold for the handoff."""
        context = handoff.lead.context
        key = (handoff.tier, handoff.team, context.sources, handoff.campaign, context.persona)
        if key not in self._policies_of:
            facts = handoff.promise_facts
            self._policies_of[key] = [
                it for it in self._policies if not it.when or it.when.holds(facts)
            ]
        return self._policies_of[key]

    def hours(self, policy: Policy, handoff: Handoff) -> CompiledCalendar:
        """The working hours by which the promise counts: the rep's own ones in a hop, else the team's."""
        own = handoff.calendar if policy.scope is Scope.HOP else None
        return self._team.calendars.get(own or "", self._team.calendar)

    def pauses(self, policy: Policy, handoff: Handoff, steps: Sequence[PastStep]) -> list[Pause]:
        """The pauses of the promise, by the reasons of this agreement."""
        return promise_pauses(steps, policy, self._pause_reasons, hop=handoff.hop)

    def _end(
        self, policy: Policy, hours: CompiledCalendar, since: datetime, pauses: Sequence[Pause]
    ) -> datetime:
        if pauses:
            return end_of(policy, RunningTime(hours, since, pauses))
        key = (policy.id, hours.calendar.id, since)
        if key not in self._ends:
            self._ends[key] = end_of(policy, RunningTime(hours, since))
        return self._ends[key]


def end_of(policy: Policy, time: RunningTime) -> datetime:
    """When the time of the promise is over."""
    return time.end(policy.target, roll_to_next_open=policy.roll_to_next_open)


def beginning(policy: Policy, handoff: Handoff, steps: Sequence[PastStep]) -> datetime | None:
    """When the promise begins, or None if its anchor has not happened. A hop's never begins before its assignment.

    With the win promises end that began before it, and those begin that are anchored there.
    """
    if (policy.anchor is Anchor.WON) != (handoff.state is State.WON):
        return None
    is_hop = policy.scope is Scope.HOP
    if policy.anchor is Anchor.QUALIFIED and not is_hop:
        return handoff.qualified_at
    if policy.anchor in (Anchor.QUALIFIED, Anchor.ASSIGNED) and (is_hop or not steps):
        return handoff.assigned_at
    changes = _STARTS[policy.anchor]
    starts = (
        it.occurred_at
        for it in steps
        if it.change in changes and it.rep is not None and (not is_hop or it.hop == handoff.hop)
    )
    return min(starts, default=None)
