"""Which change of a handoff meets a promise, by the kind of the promise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from shared.agreement.model import Policy
from shared.contracts.payloads import Change, HandoffChanged

ACCEPTANCE = frozenset({Change.ACCEPTED, Change.CONTACTED, Change.WON})
"""What stops an `accept` clock: a rep who contacts or wins a lead has accepted it too."""

STOPS: Mapping[str, frozenset[Change]] = {
    "accept": ACCEPTANCE,
    "first_touch": frozenset({Change.CONTACTED, Change.WON}),
    "meeting": frozenset({Change.CONTACTED, Change.WON}),
    "outcome": frozenset({Change.WON, Change.LOST}),
    "satisfaction": frozenset({Change.CONTACTED}),
}
"""The changes that stop the clocks of a kind; of a contact, what came of it counts too."""

_BY_OUTCOME = ("meeting", "satisfaction")
"""Kinds of promises that name the outcomes of contacts which meet them."""

ATTEMPTS = "attempts"


def find_stop(policy: Policy, changes: Sequence[HandoffChanged]) -> HandoffChanged | None:
    """The first of these changes, by when it happened, that meets the promise."""
    if policy.kind == ATTEMPTS:
        return _last_attempt(policy, attempts_of(changes))
    return earliest([it for it in changes if _stops(policy, it)])


def attempts_of(changes: Sequence[HandoffChanged]) -> list[HandoffChanged]:
    """The contacts that count as attempts, and whatever reached the person, by when they happened."""
    return sorted(filter(_is_attempt, changes), key=_order)


def earliest(changes: Sequence[HandoffChanged]) -> HandoffChanged | None:
    """The change that happened first, or None."""
    return min(changes, key=_order, default=None)


def _last_attempt(policy: Policy, attempts: Sequence[HandoffChanged]) -> HandoffChanged | None:
    """The first attempt that reached the person, or with which there are enough, spread over enough time."""
    for number, attempt in enumerate(attempts, start=1):
        spread = attempt.occurred_at - attempts[0].occurred_at
        if has_reached(attempt) or (number >= policy.count and spread >= policy.spread):
            return attempt
    return None


def has_reached(attempt: HandoffChanged) -> bool:
    """Whether the attempt reached the person, as a win does."""
    return attempt.change is Change.WON or bool(attempt.reached)


def _is_attempt(change: HandoffChanged) -> bool:
    return has_reached(change) or (
        change.change is Change.CONTACTED and change.attempt is not False
    )


def _stops(policy: Policy, change: HandoffChanged) -> bool:
    if change.change not in STOPS[policy.kind]:
        return False
    if change.change is not Change.CONTACTED:
        return True
    if policy.kind == "first_touch":
        return change.touch is not False
    return policy.kind not in _BY_OUTCOME or change.outcome in policy.outcomes


def _order(change: HandoffChanged) -> tuple[datetime, int]:
    return change.occurred_at, change.sequence
