"""The time of an event, corrected where the sender's clock is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from services.scoring.ingest.errors import InvalidEvent

FAR_AHEAD = timedelta(hours=24)

MICROSECOND = timedelta(microseconds=1)
MAX_SHIFT = 999 * MICROSECOND


def parse_instant(value: object, *, name: str) -> datetime | None:
    """The instant of an ISO 8601 text, in UTC where the text has no offset; raises InvalidEvent."""
    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        instant = None
    if instant is None:
        raise InvalidEvent(f"{name}: should be an instant such as 2026-11-22T10:00:00Z")
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def without_skew(original: datetime, sent_at: datetime | None, received_at: datetime) -> datetime:
    """The instant by Segment's rule, `received_at - (sent_at - original)`, which a wrong clock does not change."""
    if sent_at is None:
        return original
    try:
        return received_at - (sent_at - original)
    except OverflowError:
        raise InvalidEvent("timestamp: lies outside of time, measured against sentAt") from None


def clamp_time(time: datetime, received_at: datetime) -> tuple[datetime, str | None]:
    """The time, at most `received_at`, and the mark of an event whose time was later."""
    if time <= received_at:
        return time, None
    return received_at, "clock_ahead" if time - received_at > FAR_AHEAD else "clamped"


def in_batch_order(times: Sequence[datetime], received_at: datetime) -> Sequence[datetime]:
    """The times of a batch's events; equal ones are told apart by microseconds in the order of the batch.

    A time moves by at most 999 microseconds, so that it stays before the next millisecond of its sender's clock; and
    none moves beyond the arrival, before which events that came without a time are put.
    """
    if len(set(times)) == len(times):
        return times
    shifted = list(times)
    order = sorted(range(len(times)), key=times.__getitem__)
    for before, index in pairwise(order):
        if shifted[index] <= shifted[before]:
            shifted[index] = min(shifted[before] + MICROSECOND, times[index] + MAX_SHIFT)
    latest = received_at
    for index in reversed(order):
        if shifted[index] <= latest:
            break
        shifted[index] = max(latest, times[index] - MAX_SHIFT)
        latest -= MICROSECOND
    return shifted
