"""The steps that an answer of a rep causes, and the answers that are refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, ClassVar, Literal

from services.routing.domain.handoff import (
    DISQUALIFY,
    RECYCLE,
    Handoff,
    State,
    Step,
    next_step,
    rejection_step,
    return_step,
)
from services.routing.domain.pauses import PauseReport, last_pause
from shared.contracts.payloads import Change
from shared.errors import Rejected

SKEW = timedelta(seconds=60)
"""How far a caller's clock may be off before an answer's time is refused; within it, it is set right."""

REPEATABLE = frozenset({Change.CONTACTED, Change.PAUSED, Change.RESUMED})
"""Answers that a rep may give again: one without a time is of now, so that a later one is another."""

MAX_STEPS = 1_000
"""A handoff with so many steps takes no further answer that may be given again."""

_COMPARED = ("reason", "outcome", "channel", "amount", "currency")
"""The details that an answer is recognised by: the others follow from these, or are a note."""

_ENDS = {RECYCLE: State.RECYCLED, DISQUALIFY: State.DISQUALIFIED}
"""The state of a rejected handoff whose lead goes to no other rep, by what follows from the reason."""


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


class TooManyAnswers(Rejected):
    """The handoff has so many steps that it takes no further contact, pause or resumption."""

    code: ClassVar[str] = "too_many_answers"
    status: ClassVar[int] = 409


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
    longest: timedelta | None = None
    """Of a pause, after how long it is over by itself."""
    kinds_of: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Of a pause or a resumption: the kinds of promises that each reason pauses."""


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
    now: datetime,
    outcomes_after_win: Collection[str] = (),
) -> list[Step]:
    """The steps that the answer, with its terms, causes; none where the same answer came before.

    A rejected handoff is waiting afterwards, or closed where its lead goes to no other rep. A won handoff stays closed:
    it takes contacts with one of the outcomes of `outcomes_after_win`, and nothing else.
    Raises NotYours, HandoffMoved, TooManyAnswers or ImpossibleTime.
    """
    if any(_is_same(handoff, answer, actor, it, now) for it in past):
        return []
    _check_holder(handoff, actor, past)
    _check_state(handoff, answer, outcomes_after_win)
    if answer.change in REPEATABLE and len(past) >= MAX_STEPS:
        raise TooManyAnswers(
            f"handoff {handoff.id} has {len(past)} steps already; reject it, win it or lose it"
        )
    at = _occurred_at(handoff, answer, past, now)
    if answer.change is Change.REJECTED:
        return _reject(handoff, answer, actor, at, now)
    if answer.change is Change.ACCEPTED and not _is_first_acceptance(handoff, past, at):
        return []
    details = dict(answer.details)
    if answer.longest is not None:
        details["resumes_at"] = at + answer.longest
    if answer.change in (Change.PAUSED, Change.RESUMED):
        after = _paused(handoff, PauseReport(at, answer.change, details), past, answer.kinds_of)
    else:
        after = _after(handoff, answer, now)
    return [next_step(after, answer.change, now=now, occurred_at=at, actor=actor.id, **details)]


def _reject(
    handoff: Handoff, answer: Answer, actor: Actor, at: datetime, now: datetime
) -> list[Step]:
    first = rejection_step(handoff, now=now, occurred_at=at, actor=actor.id, **answer.details)
    state = _ENDS.get(answer.details.get("then", ""))
    if state is None:
        return [first]
    details = {name: value for name, value in answer.details.items() if name != "note"}
    return [first, return_step(first.handoff, now=now, state=state, **details)]


def _is_first_acceptance(handoff: Handoff, past: Sequence[PastStep], at: datetime) -> bool:
    """Whether the rep had not accepted the handoff before this instant, neither by an answer nor by a contact."""
    accepted_at = [
        it.occurred_at
        for it in past
        if it.hop == handoff.hop and it.change in (Change.ACCEPTED, Change.CONTACTED)
    ]
    return handoff.state is State.ASSIGNED or (bool(accepted_at) and at < min(accepted_at))


def _paused(
    handoff: Handoff,
    report: PauseReport,
    past: Sequence[PastStep],
    kinds_of: Mapping[str, Sequence[str]],
) -> Handoff:
    """The handoff after a pause or a resumption."""
    earlier = (
        PauseReport(it.occurred_at, it.change, it.details)
        for it in past
        if it.hop == handoff.hop and it.change in (Change.PAUSED, Change.RESUMED)
    )
    until, reason = last_pause([*earlier, report], kinds_of) or (None, None)
    return handoff._replace(paused_until=until, pause_reason=reason)


def _after(handoff: Handoff, answer: Answer, now: datetime) -> Handoff:
    """The handoff after another answer of its rep that leaves it with the rep, or closes it."""
    if handoff.state is State.WON:
        return handoff
    if answer.change in (Change.WON, Change.LOST):
        return handoff._replace(
            state=State(answer.change.value),
            closed_at=now,
            paused_until=None,
            pause_reason=None,
        )
    if answer.change is Change.CONTACTED and answer.details.get("touch") is not False:
        return handoff._replace(state=State.CONTACTED)
    is_new = handoff.state is State.ASSIGNED
    return handoff._replace(state=State.ACCEPTED) if is_new else handoff


def _is_same(handoff: Handoff, answer: Answer, actor: Actor, past: PastStep, now: datetime) -> bool:
    """Whether this past step is the same answer.

    A rep's answer is compared with steps of every hop, because a handoff never comes back to a rep who rejected it. An
    answer of ops is compared with steps of the hop that it names, else of the current hop. Without a time, an answer
    that may be given again is of now, and any other is the same whenever it came.
    """
    hop = answer.hop or (handoff.hop if actor.role == "ops" else past.hop)
    by_default = now if answer.change in REPEATABLE else past.occurred_at
    first, last = _span(answer.occurred_at or by_default, answer.zone)
    return (
        (past.change, past.actor, past.hop) == (answer.change, actor.id, hop)
        and first <= past.occurred_at <= last
        and all(past.details.get(it) == answer.details.get(it) for it in _COMPARED)
    )


def _check_holder(handoff: Handoff, actor: Actor, past: Sequence[PastStep]) -> None:
    if actor.role == "ops" or handoff.rep == actor.name:
        return
    if not any(it.rep == actor.name for it in past):
        raise NotYours(f"handoff {handoff.id} is not with you")
    raise HandoffMoved(_moved_text(handoff))


def _check_state(handoff: Handoff, answer: Answer, outcomes_after_win: Collection[str]) -> None:
    is_own_hop = answer.hop in (None, handoff.hop)
    if is_own_hop and (handoff.state.held or _is_after_win(answer, outcomes_after_win)):
        return
    text = _moved_text(handoff)
    if is_own_hop and outcomes_after_win:
        text += f", and takes only contacts with the outcome {' or '.join(outcomes_after_win)}"
    raise HandoffMoved(text)


def _is_after_win(answer: Answer, outcomes: Collection[str]) -> bool:
    return answer.change is Change.CONTACTED and answer.details.get("outcome") in outcomes


def _moved_text(handoff: Handoff) -> str:
    return f"handoff {handoff.id} has moved on: it is {state_text(handoff)}"


def state_text(handoff: Handoff) -> str:
    """The handoff's state and its rep, in words."""
    if handoff.state.held:
        return f"{handoff.state} with {handoff.rep}, hop {handoff.hop}"
    if handoff.state in (State.WON, State.LOST):
        return f"{handoff.state} by {handoff.rep}"
    return f"{handoff.state}, without a rep"


def _occurred_at(
    handoff: Handoff, answer: Answer, past: Sequence[PastStep], now: datetime
) -> datetime:
    """The instant of the answer; of a date the end of that day, or now while the day lasts."""
    wins = [it.occurred_at for it in past if it.change is Change.WON]
    since = min(wins, default=handoff.assigned_at or handoff.qualified_at)
    event = "win" if wins else "assignment"
    named = answer.occurred_at or now
    first, last = _span(named, answer.zone)
    if first > now:
        raise ImpossibleTime(
            f"occurred_at {named.isoformat()} is in the future; it is {now.isoformat()}"
        )
    if last < since:
        raise ImpossibleTime(
            f"occurred_at {named.isoformat()} is before the {event} at {since.isoformat()}"
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
