"""The demonstration itself: people act, the view moves, until everything has arrived and somebody was too late."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event

from rich.console import Console
from rich.live import Live

from services.demo.figures import Figures, Reader
from services.demo.network import FlakyNetwork, flaky_network
from services.demo.receiver import Receiver
from services.demo.scene import Scene
from services.demo.screen import line, view
from services.demo.sending import Sending
from services.demo.stream import Act
from shared.clock import TimeSource

LOOK_EVERY_S = 0.5
LINE_EVERY = timedelta(seconds=3)
PATIENCE = timedelta(seconds=75)
"""How long after the last event the view waits for the first breach."""

Update = Callable[[Figures], None]


@dataclass(frozen=True, slots=True)
class Show:
    """One performance on a scene."""

    scene: Scene
    receiver: Receiver
    console: Console
    time_source: TimeSource
    stop: Event

    def play(self, acts: Sequence[Act], reader: Reader, *, seconds: float) -> Figures:
        """Send the acts within `seconds` and show it; returns when they have arrived and one breach is there."""
        with (
            flaky_network(self.scene.scoring) as network,
            Sending(
                acts, network.url, self.scene.keys, seconds=seconds, time_source=self.time_source
            ) as sending,
            self._shown(sending) as update,
        ):
            return self._watch(reader, sending, network, update)

    def go_on(self, reader: Reader, *, every_s: float = 15) -> None:
        """Keep saying how it stands until somebody stops it."""
        while not self.stop.wait(every_s):
            self.console.print(line(reader.read()), highlight=False, soft_wrap=True)

    def _watch(
        self, reader: Reader, sending: Sending, network: FlakyNetwork, update: Update
    ) -> Figures:
        sent_at: datetime | None = None
        while True:
            reader.told(sent=sending.sent, lost=network.lost)
            figures = reader.read()
            update(figures)
            if sending.done:
                sent_at = sent_at or self.time_source()
                late = self.time_source() - sent_at > PATIENCE
                if late or (figures.breaches and figures.arrived):
                    return figures
            if self.stop.wait(LOOK_EVERY_S):
                return figures

    @contextmanager
    def _shown(self, sending: Sending) -> Iterator[Update]:
        """How figures are shown: a view that moves on a terminal, now and then a line elsewhere."""
        if not self.console.is_terminal:
            yield self._lines()
            return
        with Live(console=self.console, refresh_per_second=4, transient=False) as live:
            yield lambda figures: live.update(
                view(
                    figures,
                    self._habits(),
                    self.receiver.seen,
                    total=len(sending.acts),
                    calendar=f"{sending.day:%a %d %b %H:%M}",
                )
            )

    def _lines(self) -> Update:
        last: list[datetime] = []

        def say(figures: Figures) -> None:
            if not last or self.time_source() - last[-1] >= LINE_EVERY:
                last.append(self.time_source())
                self.console.print(line(figures), highlight=False, soft_wrap=True)

        return say

    def _habits(self) -> Mapping[str, str]:
        return {rep.id: rep.habit.name for rep in self.receiver.reps.values()}
