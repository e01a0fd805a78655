"""Notifications of promises at risk and broken: whom a step of a ladder notifies, and of what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from services.routing.domain.handoff import Handoff, State
from services.routing.domain.notification_body import body
from services.routing.domain.notifications import (
    AT_RISK,
    BREACHED,
    OPS_ENDPOINT,
    Notification,
    handoff_data,
    notification_id,
    rep_endpoint,
    team_endpoint,
)
from services.routing.domain.policy import TeamPolicy
from services.routing.domain.roster import Rep
from services.routing.domain.satisfaction import SATISFACTION
from shared.contracts.payloads import ClockChange, SlaChanged

PROMISE_FIELDS = (
    "clock_id", "policy", "kind", "scope", "due_at", "detected_at", "team", "rep",
)  # fmt: skip


class Recipient(StrEnum):
    """Who is notified by a step of a ladder."""

    REP = "rep"
    LEAD = "lead"
    TEAM = "team"
    OPS = "ops"


def recipient_of(clock: SlaChanged) -> Recipient | None:
    """Who is notified of the change; None where nobody is.

    Messages of earlier versions do not say whom a breach notifies: it was the team, of every breach.
    """
    if clock.change is ClockChange.BREACHED:
        return Recipient.TEAM if clock.step in (None, Recipient.TEAM) else None
    if clock.change is not ClockChange.ESCALATED:
        return None
    return next((it for it in Recipient if it == clock.step), None)


class Notice(NamedTuple):
    """A change of a clock of which somebody is notified, and the team of its handoff if the agreement has it."""

    clock: SlaChanged
    cause: str
    """The id of the message that announced it."""
    recipient: Recipient
    team: TeamPolicy | None
    outcome: str | None = None
    """What came of a step that took the handoff from its rep."""

    @property
    def person(self) -> str | None:
        """The rep who is meant, as the holder of the handoff or as the lead of the team; None where it is no person."""
        if self.recipient is Recipient.LEAD and self.team is not None:
            return self.team.lead
        return self.clock.rep if self.recipient is Recipient.REP else None

    @property
    def endpoints(self) -> list[str]:
        """The endpoints that may be notified; of these, the first that exists is."""
        if self.recipient is Recipient.OPS:
            return [OPS_ENDPOINT]
        of_person = [] if self.person is None else [rep_endpoint(self.person)]
        return [*of_person, team_endpoint(self.clock.team), OPS_ENDPOINT]

    def is_outdated(self, handoff: Handoff | None) -> bool:
        """Whether the rep who would be notified does not hold the handoff any more."""
        if self.recipient is not Recipient.REP or handoff is None:
            return False
        is_held = handoff.state.held or self._begins_with(handoff)
        return handoff.rep != self.clock.rep or not is_held

    def is_over(self, handoff: Handoff | None) -> bool:
        """Whether the handoff is closed, so that nobody waits for hours to hear of its promises."""
        if handoff is None or handoff.closed_at is None:
            return False
        return not self._begins_with(handoff)

    def _begins_with(self, handoff: Handoff) -> bool:
        """Whether it is a promise that begins as the handoff is won."""
        return self.clock.kind == SATISFACTION and handoff.state is State.WON

    def waiting(
        self, notification: Notification, reps: Mapping[str, Rep], now: datetime
    ) -> Notification:
        """The notification as it waits for the hours of its receiver, if it does."""
        at = self.not_before(notification.endpoint, reps, now)
        if at is None or at <= now:
            return notification
        return notification._replace(not_before=at, clock_id=self.clock.clock_id)

    def not_before(self, endpoint: str, reps: Mapping[str, Rep], now: datetime) -> datetime | None:
        """When the hours of the person begin, for which a message to them may wait; None where it waits for nothing."""
        person = reps.get(self.person or "")
        if not self.clock.waits or person is None or self.team is None:
            return None
        if endpoint != rep_endpoint(person.id):
            return None
        return self.team.hours_of(person).next_open(now)


def settled_clocks(clocks: Iterable[SlaChanged]) -> set[tuple[UUID, UUID]]:
    """The handoff and the clock of each promise that, by the last of these changes of it, is met or not broken."""
    last = {(it.handoff_id, it.clock_id): it.change for it in clocks}
    return {ids for ids, change in last.items() if change in _SETTLED}


_SETTLED = (ClockChange.MET, ClockChange.RETRACTED)


def promise_notification(
    clock: SlaChanged,
    handoff: Handoff | None,
    *,
    endpoint: str,
    cause: str,
    public_url: str,
    outcome: str | None = None,
) -> Notification:
    """The notification of a promise that is broken or, by a step before its due time, at risk.

    `outcome` is what came of a step that took the handoff from its rep.
    """
    is_at_risk = clock.occurred_at < clock.due_at
    fields = msgspec.to_builtins(clock)
    promise = {it: fields.get(it) for it in PROMISE_FIELDS}
    if outcome is not None:
        promise["outcome"] = outcome
    data: dict[str, Any] = {"promise" if is_at_risk else "breach": promise}
    if handoff is None:
        data["handoff"] = {"id": str(clock.handoff_id), "lead_id": str(clock.lead_id)}
    else:
        data |= handoff_data(handoff, public_url=public_url)
    type = AT_RISK if is_at_risk else BREACHED
    return Notification(
        id=notification_id(f"{cause}/{endpoint}"),
        endpoint=endpoint,
        handoff_id=clock.handoff_id,
        hop=handoff.hop if handoff else clock.hop,
        type=type,
        body=body(type, data, at=clock.occurred_at),
        traceparent=handoff.traceparent if handoff else None,
    )
