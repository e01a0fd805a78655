"""When it happened, as far as the clocks of senders can be believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.scoring.ingest.errors import InvalidEvent

FAR_AHEAD = timedelta(hours=24)


def parse_instant(value: object, *, name: str) -> datetime | None:
    """The instant that an ISO 8601 text says, in UTC where it does not say; raises InvalidEvent."""
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
    """Segment's rule: the sender's clock may be wrong, but it is as wrong for both of its instants."""
    if sent_at is None:
        return original
    try:
        return received_at - (sent_at - original)
    except OverflowError:
        raise InvalidEvent("timestamp: lies outside of time, measured against sentAt") from None


def clamp_time(time: datetime, received_at: datetime) -> tuple[datetime, str | None]:
    """The time, never after the event came in, and what to mark the event with if it was."""
    if time <= received_at:
        return time, None
    return received_at, "clock_ahead" if time - received_at > FAR_AHEAD else "clamped"
