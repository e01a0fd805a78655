"""The figures as a reader sees them: a view that moves on a terminal, one line at a time elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from services.demo.figures import Figures
from services.demo.receiver import Seen

WIDTH = 40
"""Columns of the longest bar."""


def view(
    figures: Figures, habits: Mapping[str, str], seen: Seen, *, total: int, calendar: str
) -> RenderableType:
    """Everything at once: the way from events to breaches, and who holds what."""
    return Panel(
        Group(
            _progress(figures.events_sent, total, calendar),
            _way(figures, seen),
            _reps(figures, habits),
        ),
        title="Leadbaton: one lead, all the way",
        border_style="cyan",
        padding=(0, 1),
    )


def _progress(sent: int, total: int, calendar: str) -> Table:
    row = Table.grid(padding=(0, 2))
    bar = ProgressBar(total=max(total, 1), completed=sent, width=WIDTH + 20)
    row.add_row(bar, Text(f"simulated: {calendar}", style="dim"))
    return row


def line(figures: Figures) -> str:
    """The same for a log."""
    it = figures
    reps = ", ".join(f"{rep} {count}" for rep, count in it.assigned.items()) or "nobody yet"
    return (
        f"events {it.events_kept} counted of {it.events_sent} sent, "
        f"{it.duplicates_dropped} {_repeats(it)} | leads {it.leads}, {it.qualified} qualified, "
        f"{it.waiting} waiting | assigned: {reps} | {it.delivered} delivered | "
        f"clocks {it.running} running, {it.met} met, {it.breaches} breached"
    )


def _way(figures: Figures, seen: Seen) -> Table:
    it = figures
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", min_width=12)
    table.add_column(justify="right", style="cyan", min_width=6)
    table.add_column(style="dim")
    refused = f"{it.events_rejected} that name nobody were refused"
    table.add_row("events", str(it.events_kept), f"counted of {it.events_sent} sent; {refused}")
    lost = f"{it.answers_lost} answers got lost, and their events were sent again"
    table.add_row("repeats", str(it.duplicates_dropped), f"{_repeats(it)}: {lost}")
    table.add_row("leads", str(it.leads), "people and visitors, joined by what identifies them")
    table.add_row("qualified", str(it.qualified), f"{it.waiting} wait for a rep")
    table.add_row("webhooks", str(it.delivered), f"delivered; {_signatures(seen)}")
    table.add_row("clocks", str(it.running), f"running; {it.met} met")
    style = "bold red" if it.breaches else "dim"
    table.add_row("breaches", Text(str(it.breaches), style=style), "not followed up in time")
    return table


def _repeats(figures: Figures) -> str:
    """What was accepted and is not in the ledger: while events are under way, that is not duplicates alone."""
    return "dropped" if figures.arrived else "dropped or on their way"


def _signatures(seen: Seen) -> str:
    return f"{sum(seen.verified.values())} signatures verified, {seen.refused} refused"


def _reps(figures: Figures, habits: Mapping[str, str]) -> Table:
    """One bar a rep: how many leads each was given."""
    table = Table(box=None, padding=(0, 2), pad_edge=False)
    for title in ("rep", "", "leads", ""):
        table.add_column(title, justify="right" if title == "leads" else "left")
    limit = max([*figures.assigned.values(), 1])
    for rep, habit in habits.items():
        count = figures.assigned.get(rep, 0)
        bar = Text("█" * round(WIDTH * count / limit), style="cyan")
        table.add_row(rep, Text(habit, style="dim"), str(count), bar)
    return table
