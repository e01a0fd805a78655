"""The figures as text: a live view on a terminal, one line elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from services.demo.figures import Figures
from services.demo.receiver import WebhookCounts

WIDTH = 40
"""Columns of the longest bar."""


def view(
    figures: Figures, habits: Mapping[str, str], counts: WebhookCounts, *, total: int, calendar: str
) -> RenderableType:
    """All figures: progress, counts from events to breaches, and how many leads each rep has."""
    return Panel(
        Group(
            _progress(figures.events_sent, total, calendar),
            _counts(figures, counts),
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
    """The figures as one line."""
    reps = ", ".join(f"{rep} {count}" for rep, count in figures.assigned.items()) or "nobody yet"
    return (
        f"events {figures.events_kept} counted of {figures.events_sent} sent, "
        f"{figures.duplicates_dropped} {_repeats(figures)} | leads {figures.leads}, {figures.qualified} qualified, "
        f"{figures.waiting} waiting | assigned: {reps} | {figures.delivered} delivered | "
        f"clocks {figures.running} running, {figures.met} met, {figures.breaches} breached"
    )


def _counts(figures: Figures, counts: WebhookCounts) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", min_width=12)
    table.add_column(justify="right", style="cyan", min_width=6)
    table.add_column(style="dim")
    refused = f"{figures.events_rejected} that name nobody were refused"
    table.add_row(
        "events", str(figures.events_kept), f"counted of {figures.events_sent} sent; {refused}"
    )
    lost = f"{figures.answers_lost} answers got lost, and their events were sent again"
    table.add_row("repeats", str(figures.duplicates_dropped), f"{_repeats(figures)}: {lost}")
    table.add_row(
        "leads", str(figures.leads), "people and visitors, joined by what identifies them"
    )
    table.add_row("qualified", str(figures.qualified), f"{figures.waiting} wait for a rep")
    table.add_row("webhooks", str(figures.delivered), f"delivered; {_signatures(counts)}")
    table.add_row("clocks", str(figures.running), f"running; {figures.met} met")
    style = "bold red" if figures.breaches else "dim"
    table.add_row("breaches", Text(str(figures.breaches), style=style), "not followed up in time")
    return table


def _repeats(figures: Figures) -> str:
    """What the accepted events that are not stored are: repeats alone only once all events have arrived."""
    return "dropped" if figures.all_arrived else "dropped or on their way"


def _signatures(counts: WebhookCounts) -> str:
    return f"{sum(counts.verified.values())} signatures verified, {counts.refused} refused"


def _reps(figures: Figures, habits: Mapping[str, str]) -> Table:
    """One bar a rep: how many leads were assigned to each."""
    table = Table(box=None, padding=(0, 2), pad_edge=False)
    for title in ("rep", "", "leads", ""):
        table.add_column(title, justify="right" if title == "leads" else "left")
    limit = max([*figures.assigned.values(), 1])
    for rep, habit in habits.items():
        count = figures.assigned.get(rep, 0)
        bar = Text("█" * round(WIDTH * count / limit), style="cyan")
        table.add_row(rep, Text(habit, style="dim"), str(count), bar)
    return table
