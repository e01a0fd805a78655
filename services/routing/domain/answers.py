"""The steps that an answer of a rep causes, and the answers that are refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, ClassVar, Literal

from services.routing.domain.handoff import (
    Handoff,
    State,
    Step,
    next_step,
    rejection_step,
    return_step,
)
from services.routing.domain.policy import RoutingPolicy
from shared.contracts.payloads import Change
from shared.errors import Rejected

SKEW = timedelta(seconds=60)
"""How far a caller's clock may be off before an answer's time is refused; within it, it is set right."""


class HandoffMoved(Rejected):
    """The answer is for a hop that is over: the handoff has moved on."""

    code: ClassVar[str] = "handoff_moved"
    status: ClassVar[int] = 409


class NotYours(Rejected):
    """A rep's key was used for a handoff that this rep never held."""

    code: ClassVar[str] = "not_your_handoff"
    status: ClassVar[int] = 403


class ImpossibleTime(Rejected):
    """The time of the answer is in the future, or before the assignment."""

    code: ClassVar[str] = "impossible_time"


class UnknownReason(Rejected):
    """The agreement has no such reason."""

    code: ClassVar[str] = "unknown_reason"


@dataclass(frozen=True, slots=True)
class Actor:
    """The sender of an answer: a rep, or ops on behalf of the rep who holds the handoff."""

    role: Literal["rep", "ops"]
    name: str

    @property
    def id(self) -> str:
        """The actor as it is stored with a step."""
        return f"{self.role}/{self.name}"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer about a handoff."""

    change: Change
    occurred_at: date | None = None
    """When it happened: an instant, which is a datetime, or a date; None: now.

    With it, an answer that is sent twice is recognised with certainty.
    """
    hop: int | None = None
    """The hop that the answer is for, where the caller names it."""
    details: dict[str, Any] = field(default_factory=dict)
    zone: tzinfo = UTC
    """The rep's time zone, in which a date is a day."""


@dataclass(frozen=True, slots=True)
class PastStep:
    """A step of the handoff's history."""

    change: Change
    occurred_at: datetime
    actor: str
    hop: int
    rep: str | None = None
    """The rep who held the handoff after it."""
    details: dict[str, Any] = field(default_factory=dict)
    recorded_at: datetime | None = None
    """When Leadbaton learned of it; always known of stored steps."""


def steps_of_answer(
    handoff: Handoff,
    answer: Answer,
    *,
    actor: Actor,
    past: Sequence[PastStep],
    policy: RoutingPolicy,
    now: datetime,
) -> list[Step]:
    """The steps that the answer causes; none where the same answer came before.

    A rejected handoff is waiting afterwards, or closed where its lead is recycled.
    Raises UnknownReason, NotYours, HandoffMoved or ImpossibleTime.
    """
    answer = _with_consequence(answer, policy)
    if any(_is_same(handoff, answer, actor, it) for it in past):
        return []
    _check_holder(handoff, answer, actor, past)
    at = _occurred_at(handoff, answer, now)
    if answer.change is Change.REJECTED:
        return _reject(handoff, answer, actor, at, now)
    if answer.change is Change.ACCEPTED and handoff.state is not State.ASSIGNED:
        return []
    closed_at = now if answer.change in (Change.WON, Change.LOST) else None
    after = handoff._replace(state=State(answer.change.value), closed_at=closed_at)
    return [
        next_step(after, answer.change, now=now, occurred_at=at, actor=actor.id, **answer.details)
    ]


def _reject(
    handoff: Handoff, answer: Answer, actor: Actor, at: datetime, now: datetime
) -> list[Step]:
    first = rejection_step(handoff, now=now, occurred_at=at, actor=actor.id, **answer.details)
    if not answer.details.get("recycle"):
        return [first]
    return [first, return_step(first.handoff, now=now, state=State.RECYCLED, **answer.details)]


def _with_consequence(answer: Answer, policy: RoutingPolicy) -> Answer:
    """The answer with the consequence of its reason in the agreement; raises UnknownReason."""
    routing, reason = policy.agreement.routing, answer.details.get("reason")
    if reason is None:
        return answer
    if answer.change is Change.LOST:
        check_reason(reason, routing.loss_reasons, kind="loss reason")
        return answer
    then = {it.id: it.then for it in routing.reject_reasons}
    check_reason(reason, list(then), kind="reject reason")
    if then.get(reason) != "recycle":
        return answer
    return replace(answer, details={**answer.details, "recycle": True})


def check_reason(reason: str | None, listed: Sequence[str], *, kind: str) -> None:
    """Raise UnknownReason unless the reason is listed; an empty list allows every reason."""
    if listed and reason not in listed:
        raise UnknownReason(
            f"{reason!r} is no {kind} of the agreement; give one of {', '.join(listed)}"
        )


def _is_same(handoff: Handoff, answer: Answer, actor: Actor, past: PastStep) -> bool:
    """Whether this past step is the same answer.

    A rep's answer is compared with steps of every hop, because a handoff never comes back to a rep who rejected it. An
    answer of ops is compared with steps of the hop that it names, else of the current hop.
    """
    hop = answer.hop or (handoff.hop if actor.role == "ops" else past.hop)
    first, last = _span(answer.occurred_at or past.occurred_at, answer.zone)
    return (past.change, past.actor, past.hop, past.details) == (
        answer.change,
        actor.id,
        hop,
        answer.details,
    ) and first <= past.occurred_at <= last


def _check_holder(handoff: Handoff, answer: Answer, actor: Actor, past: Sequence[PastStep]) -> None:
    may_answer = actor.role == "ops" or handoff.rep == actor.name
    if handoff.state.held and may_answer and answer.hop in (None, handoff.hop):
        return
    if not may_answer and not any(it.rep == actor.name for it in past):
        raise NotYours(f"handoff {handoff.id} is not with you")
    raise HandoffMoved(f"handoff {handoff.id} has moved on: it is {state_text(handoff)}")


def state_text(handoff: Handoff) -> str:
    """The handoff's state and its rep, in words."""
    if handoff.state.held:
        return f"{handoff.state} with {handoff.rep}, hop {handoff.hop}"
    if handoff.state in (State.WON, State.LOST):
        return f"{handoff.state} by {handoff.rep}"
    return f"{handoff.state}, without a rep"


def _occurred_at(handoff: Handoff, answer: Answer, now: datetime) -> datetime:
    """The instant of the answer; of a date the end of that day, or now while the day lasts."""
    since = handoff.assigned_at or handoff.qualified_at
    named = answer.occurred_at or now
    first, last = _span(named, answer.zone)
    if first > now:
        raise ImpossibleTime(
            f"occurred_at {named.isoformat()} is in the future; it is {now.isoformat()}"
        )
    if last < since:
        raise ImpossibleTime(
            f"occurred_at {named.isoformat()} is before the assignment at {since.isoformat()}"
        )
    at = named if isinstance(named, datetime) else last
    return max(min(at, now), since)


def _span(occurred_at: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """The first and the last instant that the time of an answer may mean: those of a day, or of a clock that is off."""
    if isinstance(occurred_at, datetime):
        return occurred_at - SKEW, occurred_at + SKEW
    first = datetime.combine(occurred_at, time(), zone)
    next_day = datetime.combine(occurred_at + timedelta(days=1), time(), zone)
    return first.astimezone(UTC), next_day.astimezone(UTC) - timedelta(microseconds=1)
