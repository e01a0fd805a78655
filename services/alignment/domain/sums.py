"""What figures of handoffs are computed from: counts, and how many there are of each time and of each value."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

StepCounts = Mapping[int, int]
"""How many times there are, by their seconds in steps."""


class Counts(NamedTuple):
    """How many handoffs there are of a kind; none that was merged into another."""

    qualified: int = 0
    assigned: int = 0
    accepted: int = 0
    rejected: int = 0
    """By some rep, and accepted by none."""
    recycled: int = 0
    untouched: int = 0
    """Accepted, still open, and never contacted."""
    attempts: int = 0
    """To contact those that were assigned."""
    answers: int = 0
    """Rejections and losses; of each handoff its last rejection."""
    reasoned: int = 0
    """Of the answers those with a reason."""
    qualified_again: int = 0
    """Of the recycled ones those whose leads later qualified, and so on."""
    accepted_again: int = 0
    won_again: int = 0


class Timed(StrEnum):
    """A time between two steps of a handoff. Its first assignment is counted where there was one."""

    HANDOVER = "handover"
    SPREAD = "spread"
    ACCEPT = "accept"
    CONTACT = "contact"
    WIN = "win"
    WHOLE = "whole"
    """From qualified to won."""
    BUSINESS_ACCEPT = "business_accept"
    BUSINESS_CONTACT = "business_contact"
    BUSINESS_WIN = "business_win"


BUSINESS = frozenset({Timed.BUSINESS_ACCEPT, Timed.BUSINESS_CONTACT, Timed.BUSINESS_WIN})
"""The times in business hours, by the version of the agreement under which the lead qualified."""


class Valued(StrEnum):
    """Which value of a handoff is counted."""

    REASON = "reason"
    """Of the rejected ones; empty: none is known."""
    TRAITS = "traits"
    """The names of the traits that had a value, a line each, of those of which it is known."""
