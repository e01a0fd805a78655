"""One run of the demonstration, until every activity has arrived and one clock is breached."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event

from rich.console import Console
from rich.live import Live

from services.demo.activities import Activity
from services.demo.figures import Figures, Reader
from services.demo.network import FlakyNetwork, flaky_network
from services.demo.receiver import Receiver
from services.demo.screen import line, view
from services.demo.sending import BackgroundSender
from services.demo.setup import Access
from shared.clock import TimeSource

LOOK_EVERY_S = 0.5
LINE_EVERY = timedelta(seconds=3)
PATIENCE = timedelta(seconds=75)
"""How long after the last event the view waits for the first breach."""

Update = Callable[[Figures], None]


@dataclass(frozen=True, slots=True)
class DemoRun:
    """One run of the demonstration on a running installation."""

    access: Access
    receiver: Receiver
    console: Console
    time_source: TimeSource
    stop: Event

    def run(self, activities: Sequence[Activity], reader: Reader, *, seconds: float) -> Figures:
        """Send the activities within `seconds`; returns when all have arrived and one clock is breached."""
        with (
            flaky_network(self.access.scoring) as network,
            BackgroundSender(
                activities,
                network.url,
                self.access.keys,
                seconds=seconds,
                time_source=self.time_source,
            ) as sending,
            self._view(sending) as update,
        ):
            return self._watch(reader, sending, network, update)

    def print_figures(self, reader: Reader, *, every_s: float = 15) -> None:
        """Print the figures as a line, every so many seconds, until the run is stopped."""
        while not self.stop.wait(every_s):
            self.console.print(line(reader.read()), highlight=False, soft_wrap=True)

    def _watch(
        self, reader: Reader, sending: BackgroundSender, network: FlakyNetwork, update: Update
    ) -> Figures:
        sent_at: datetime | None = None
        while True:
            reader.set_sent(sent=sending.sent, lost=network.lost)
            figures = reader.read()
            update(figures)
            if sending.done:
                sent_at = sent_at or self.time_source()
                late = self.time_source() - sent_at > PATIENCE
                if late or (figures.breaches and figures.all_arrived):
                    return figures
            if self.stop.wait(LOOK_EVERY_S):
                return figures

    @contextmanager
    def _view(self, sending: BackgroundSender) -> Iterator[Update]:
        """A function that shows figures: in a live view on a terminal, as a line now and then elsewhere."""
        if not self.console.is_terminal:
            yield self._lines()
            return
        with Live(console=self.console, refresh_per_second=4, transient=False) as live:
            yield lambda figures: live.update(
                view(
                    figures,
                    self._habits(),
                    self.receiver.counts,
                    total=len(sending.activities),
                    calendar=f"{sending.day:%a %d %b %H:%M}",
                )
            )

    def _lines(self) -> Update:
        last: list[datetime] = []

        def print_line(figures: Figures) -> None:
            if not last or self.time_source() - last[-1] >= LINE_EVERY:
                last.append(self.time_source())
                self.console.print(line(figures), highlight=False, soft_wrap=True)

        return print_line

    def _habits(self) -> Mapping[str, str]:
        return {rep.id: rep.habit.name for rep in self.receiver.reps.values()}
