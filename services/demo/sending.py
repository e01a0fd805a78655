"""Sends weeks of activities within seconds, in a thread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from threading import Event, Thread

from services.demo.activities import Activity, Channel
from services.demo.platforms import Mailings, Website
from shared.clock import TimeSource

TICK_S = 0.25


class BackgroundSender:
    """Sends all activities within `seconds`, in a thread; `sent` and `day` hold how far it has come."""

    def __init__(
        self,
        activities: Sequence[Activity],
        url: str,
        keys: Mapping[str, str],
        *,
        seconds: float,
        time_source: TimeSource,
    ) -> None:
        self.activities = activities
        self.sent = 0
        self._seconds = seconds
        self._time_source = time_source
        self._senders: dict[Channel, Website | Mailings] = {
            Channel.WEBSITE: Website(url, keys[Channel.WEBSITE]),
            Channel.MAILINGS: Mailings(url, keys[Channel.MAILINGS]),
        }
        self._stop = Event()
        self._thread = Thread(target=self._send, name="sending", daemon=True)

    def __enter__(self) -> BackgroundSender:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def done(self) -> bool:
        """Whether everything is sent and answered."""
        return not self._thread.is_alive()

    @property
    def day(self) -> datetime:
        """The simulated instant that the sending has reached."""
        return self.activities[max(self.sent - 1, 0)].at

    @property
    def failed(self) -> int:
        """How many events the senders gave up on."""
        return sum(sender.failed for sender in self._senders.values())

    def _send(self) -> None:
        paced = send_paced(
            self.activities,
            self._senders,
            seconds=self._seconds,
            time_source=self._time_source,
            stop=self._stop,
        )
        for self.sent in paced:
            pass
        for sender in self._senders.values():
            sender.close()


def send_paced(
    activities: Sequence[Activity],
    senders: Mapping[Channel, Website | Mailings],
    *,
    seconds: float,
    time_source: TimeSource,
    stop: Event,
) -> Iterator[int]:
    """Send weeks of activities within seconds, in order; yields how many are sent, several times a second."""
    started_at, sent = time_source(), 0
    while sent < len(activities) and not stop.is_set():
        passed = (time_source() - started_at).total_seconds() / seconds
        due = _due(activities, sent, passed)
        for channel, sender in senders.items():
            of_channel = [it for it in activities[sent:due] if it.channel is channel]
            if of_channel:
                sender.send(of_channel)
        sent = due
        yield sent
        stop.wait(TICK_S)


def _due(activities: Sequence[Activity], sent: int, passed: float) -> int:
    """How many of the activities lie in the part of the time that has passed."""
    first, last = activities[0].at, activities[-1].at
    until: datetime = first + (last - first) * passed
    while sent < len(activities) and activities[sent].at <= until:
        sent += 1
    return sent
