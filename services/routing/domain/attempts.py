"""What a try of a webhook means: delivered, try again then, or give it up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

SCHEDULE = tuple(
    timedelta(seconds=it) for it in (5, 30, 120, 600, 1800, 7200, 18_000, 36_000, 36_000)
)
"""How long after each failed try the next one comes, before jitter."""

JITTER = 0.2
"""A wait grows by up to this part of itself, so that what failed together is not tried together."""

LONGEST_WISH = timedelta(hours=1)
"""A receiver's Retry-After is honoured up to this."""

GONE = 410
_WISHING = (429, 503)


@dataclass(frozen=True, slots=True)
class Response:
    """What a receiver wish; without a status, what went wrong instead."""

    status: int | None
    detail: str
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """It arrived."""


@dataclass(frozen=True, slots=True)
class Retry:
    """It did not; the next try is at this instant."""

    at: datetime


@dataclass(frozen=True, slots=True)
class GaveUp:
    """It did not and will not; `gone` when the receiver wants nothing any more."""

    gone: bool = False


Outcome = Delivered | Retry | GaveUp


def judge(response: Response, *, number: int, now: datetime, chance: float) -> Outcome:
    """What the `number`-th try (from 1) came to; `chance` in [0, 1) is the jitter's share."""
    if response.status is not None and 200 <= response.status < 300:
        return Delivered()
    if response.status == GONE:
        return GaveUp(gone=True)
    if number > len(SCHEDULE):
        return GaveUp()
    wait = SCHEDULE[number - 1] * (1 + JITTER * chance)
    return Retry(now + max(wait, _wish(response, now)))


def _wish(response: Response, now: datetime) -> timedelta:
    """How long the receiver asks us to wait; nothing where it does not ask, or not in words that we know."""
    if response.status not in _WISHING or response.retry_after is None:
        return timedelta(0)
    wish = response.retry_after.strip()
    if wish.isdecimal():  # of any length: it is the receiver that writes it
        return min(timedelta(seconds=int(wish)), LONGEST_WISH) if len(wish) < 10 else LONGEST_WISH
    try:
        at = parsedate_to_datetime(wish)
    except (ValueError, OverflowError):
        return timedelta(0)
    return min(at.replace(tzinfo=at.tzinfo or UTC) - now, LONGEST_WISH)
