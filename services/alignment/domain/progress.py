"""What sales did with one handoff, derived from all its changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from itertools import takewhile
from uuid import UUID

import msgspec

from services.alignment.domain.facts import first_of, shortened
from shared.contracts.payloads import Change, HandoffChanged

ASSIGNMENTS = frozenset({Change.ASSIGNED, Change.REASSIGNED})
REOPENINGS = ASSIGNMENTS | {Change.WAITING}
"""The changes after which a handoff is open again."""
ACCEPTANCES = frozenset({Change.ACCEPTED, Change.CONTACTED, Change.WON})
"""A rep who contacts or wins a lead has accepted it too, as for the promise to accept."""
TOUCHES = frozenset({Change.CONTACTED, Change.WON})
MERGED = "merged"
"""The reason with which routing ends a handoff whose person has another one."""
DISQUALIFY = "disqualify"
"""What follows from the reason of a rejection where the lead goes to no other rep, and not back to marketing."""
MAX_ATTEMPTS = 50
"""The attempts whose instants are kept: the first ones."""
MAX_CENTS = 10**14
"""The largest amount, as routing's API bounds it."""


class Outcome(StrEnum):
    """How a handoff ended."""

    WON = "won"
    LOST = "lost"
    RECYCLED = "recycled"
    DISQUALIFIED = "disqualified"
    RETURNED = "returned"
    MERGED = "merged"


_ANSWERS = {Change.WON: Outcome.WON, Change.LOST: Outcome.LOST}
"""The answers that close a handoff."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of a handoff that routing announces: what sales did, and what routing says of the lead meanwhile."""

    lead_id: UUID
    qualification: int
    handoff_id: UUID
    qualified_at: datetime
    agreement_version: int
    tier: str | None
    source: str | None
    campaign: str | None
    team: str | None
    rep: str | None
    assigned_at: datetime | None
    accepted_at: datetime | None
    accepted_hop: int | None
    rejected_at: datetime | None
    rejection_reason: str | None
    contacted_at: datetime | None
    reached_at: datetime | None
    attempts: int
    attempted_at: tuple[datetime, ...]
    closed_at: datetime | None
    outcome: Outcome | None
    loss_reason: str | None
    amount_cents: int | None
    currency: str | None


def progress_of(history: Sequence[HandoffChanged]) -> Progress:
    """The progress by these changes of one handoff, at least one, in the order of `sequence`."""
    last = history[-1]
    rejection = next((it for it in reversed(history) if it.change is Change.REJECTED), None)
    closing = _closing(history)
    touches = [it for it in history if it.change in TOUCHES and it.touch is not False]
    reached = [it for it in touches if it.change is Change.WON or it.reached]
    attempts = list(filter(_is_attempt, _before_win(history)))
    acceptance = _first(it for it in history if it.change in ACCEPTANCES)
    outcome = None if closing is None else outcome_of(closing)
    cents = cents_of(closing) if closing is not None and outcome is Outcome.WON else None
    return Progress(
        lead_id=last.lead_id,
        qualification=last.qualification,
        handoff_id=last.handoff_id,
        qualified_at=last.qualified_at,
        agreement_version=last.agreement_version,
        tier=shortened(last.tier),
        source=first_of(last.sources),
        campaign=shortened(last.campaign),
        team=shortened(last.team),
        rep=shortened(next((it.rep for it in reversed(history) if it.rep is not None), None)),
        assigned_at=_first_at(it for it in history if it.change in ASSIGNMENTS and it.rep),
        accepted_at=_at(acceptance),
        accepted_hop=None if acceptance is None else acceptance.hop,
        rejected_at=_at(rejection),
        rejection_reason=None if rejection is None else shortened(rejection.reason),
        contacted_at=_first_at(touches),
        reached_at=_first_at(reached),
        attempts=len(attempts),
        attempted_at=tuple(sorted(it.occurred_at for it in attempts)[:MAX_ATTEMPTS]),
        closed_at=_at(closing),
        outcome=outcome,
        loss_reason=shortened(closing.reason)
        if closing is not None and outcome is Outcome.LOST
        else None,
        amount_cents=cents,
        currency=closing.currency if closing is not None and cents is not None else None,
    )


def outcome_of(closing: HandoffChanged) -> Outcome:
    """How a handoff ended by the change that closed it."""
    if closing.change in _ANSWERS:
        return _ANSWERS[closing.change]
    if closing.recycle:
        return Outcome.RECYCLED
    if closing.then == DISQUALIFY:
        return Outcome.DISQUALIFIED
    return Outcome.MERGED if closing.reason == MERGED else Outcome.RETURNED


def cents_of(win: HandoffChanged) -> int | None:
    """The amount of a win in hundredths of its currency; None where either is missing or the amount is impossible."""
    if win.amount is None or win.currency is None:
        return None
    amount = Decimal(str(win.amount))
    if not 0 <= amount <= MAX_CENTS // 100:
        return None
    return int((amount * 100).quantize(Decimal(1), ROUND_HALF_UP))


def _before_win(history: Sequence[HandoffChanged]) -> Iterator[HandoffChanged]:
    """The changes before a win: what is asked of a customer later is no attempt to reach a lead."""
    return takewhile(lambda it: it.change is not Change.WON, history)


def _is_attempt(change: HandoffChanged) -> bool:
    return change.change is Change.CONTACTED and change.attempt is not False


def _closing(history: Sequence[HandoffChanged]) -> HandoffChanged | None:
    """The change that closed the handoff, unless it was opened again."""
    closing: HandoffChanged | None = None
    for change in history:
        if change.change in REOPENINGS:
            closing = None
        elif _closes(change):
            closing = change
    return closing


def _closes(change: HandoffChanged) -> bool:
    return change.change in {Change.WON, Change.LOST, Change.RETURNED} or (
        change.change is Change.REJECTED and change.recycle
    )


def _at(change: HandoffChanged | None) -> datetime | None:
    return None if change is None else change.occurred_at


def _first(changes: Iterable[HandoffChanged]) -> HandoffChanged | None:
    """The change that happened first; of those at one instant, the one that was recorded first."""
    return min(changes, key=lambda it: (it.occurred_at, it.sequence), default=None)


def _first_at(changes: Iterable[HandoffChanged]) -> datetime | None:
    return _at(_first(changes))
