"""Weeks of acts, sent within seconds by a thread beside the view, which asks how far it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from threading import Event, Thread

from services.demo.platforms import Mailings, Website
from services.demo.stream import Act, Channel
from shared.clock import TimeSource

TICK_S = 0.25


class Sending:
    """Sends all acts within `seconds`, in the background; `sent` and `day` tell how far it is."""

    def __init__(
        self,
        acts: Sequence[Act],
        url: str,
        keys: Mapping[str, str],
        *,
        seconds: float,
        time_source: TimeSource,
    ) -> None:
        self.acts = acts
        self.sent = 0
        self._seconds = seconds
        self._clock = time_source
        self._senders: dict[Channel, Website | Mailings] = {
            Channel.WEBSITE: Website(url, keys[Channel.WEBSITE]),
            Channel.MAILINGS: Mailings(url, keys[Channel.MAILINGS]),
        }
        self._stop = Event()
        self._thread = Thread(target=self._send, name="sending", daemon=True)

    def __enter__(self) -> Sending:
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
        return self.acts[max(self.sent - 1, 0)].at

    @property
    def failed(self) -> int:
        """Events that the senders gave up on."""
        return sum(sender.failed for sender in self._senders.values())

    def _send(self) -> None:
        paced = send_paced(
            self.acts,
            self._senders,
            seconds=self._seconds,
            time_source=self._clock,
            stop=self._stop,
        )
        for self.sent in paced:
            pass
        for sender in self._senders.values():
            sender.close()


def send_paced(
    acts: Sequence[Act],
    senders: Mapping[Channel, Website | Mailings],
    *,
    seconds: float,
    time_source: TimeSource,
    stop: Event,
) -> Iterator[int]:
    """Send weeks of acts within seconds, in their order; yields how many are sent, several times a second."""
    began, sent = time_source(), 0
    while sent < len(acts) and not stop.is_set():
        passed = (time_source() - began).total_seconds() / seconds
        due = _due(acts, sent, passed)
        for channel, sender in senders.items():
            if its := [act for act in acts[sent:due] if act.channel is channel]:
                sender.send(its)
        sent = due
        yield sent
        stop.wait(TICK_S)


def _due(acts: Sequence[Act], sent: int, passed: float) -> int:
    """How many of the acts lie in the part of the whole time that has passed."""
    first, last = acts[0].at, acts[-1].at
    until: datetime = first + (last - first) * passed
    while sent < len(acts) and acts[sent].at <= until:
        sent += 1
    return sent
