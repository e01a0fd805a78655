"""What the response to an attempt of a webhook means: delivered, to be attempted again, or given up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

SCHEDULE = tuple(
    timedelta(seconds=it) for it in (5, 30, 120, 600, 1800, 7200, 18_000, 36_000, 36_000)
)
"""The pause after each failed attempt, before jitter."""

JITTER = 0.2
"""A pause grows by up to this part of itself, so that attempts that failed together are not repeated together."""

MAX_RETRY_AFTER = timedelta(hours=1)
"""A longer Retry-After of a receiver counts as this."""

GONE = 410
_RETRY_AFTER_STATUSES = (429, 503)


@dataclass(frozen=True, slots=True)
class Response:
    """The response of a receiver. Without a status there was none, and `detail` says what went wrong."""

    status: int | None
    detail: str
    retry_after: str | None = None
    is_confirmed: bool = True
    """False where the text of the response says that the webhook was not taken, whatever the status is."""

    @property
    def is_success(self) -> bool:
        """Whether the receiver took the webhook."""
        return self.is_confirmed and self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver took the webhook."""


@dataclass(frozen=True, slots=True)
class Retry:
    """The attempt failed; the next one is at this instant."""

    at: datetime


@dataclass(frozen=True, slots=True)
class GaveUp:
    """The attempt failed, and no other follows; `gone` if the receiver answered 410 Gone."""

    gone: bool = False


Outcome = Delivered | Retry | GaveUp


def judge(response: Response, *, number: int, now: datetime, chance: float) -> Outcome:
    """The outcome of the `number`-th attempt, from 1; `chance` in [0, 1) is the part of the jitter that is added."""
    if response.is_success:
        return Delivered()
    if response.status == GONE:
        return GaveUp(gone=True)
    if number > len(SCHEDULE):
        return GaveUp()
    pause = SCHEDULE[number - 1] * (1 + JITTER * chance)
    return Retry(now + max(pause, asked_pause(response, now=now)))


def asked_pause(response: Response, *, now: datetime) -> timedelta:
    """The pause that the receiver asks for; zero where it asks for none, or in a form that is unknown."""
    if response.status not in _RETRY_AFTER_STATUSES or response.retry_after is None:
        return timedelta(0)
    header = response.retry_after.strip()
    if header.isdecimal():  # any number of digits may arrive, and int() has a limit
        is_long = len(header) > 9
        return MAX_RETRY_AFTER if is_long else min(timedelta(seconds=int(header)), MAX_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return timedelta(0)
    return min(at.replace(tzinfo=at.tzinfo or UTC) - now, MAX_RETRY_AFTER)
