"""Prints what marketing was told of its campaigns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

Json = Mapping[str, Any]


def print_outcomes(outcomes: Sequence[Json], console: Console) -> None:
    """Print the outcome of each campaign that the endpoint of marketing has received."""
    console.print()
    console.rule(Text("What marketing is told of its campaigns", "bold"))
    if not outcomes:
        console.print(
            "Nothing came yet: an hour after midnight (UTC) it is told of the day before."
        )
        return
    table = Table(box=None, pad_edge=False)
    for title in ("campaign", "qualified", "accepted", "rejected", "won", "for"):
        table.add_column(title, justify="left" if title == "campaign" else "right")
    for outcome in sorted(outcomes, key=lambda it: -int(it["qualified"])):
        counts = (str(outcome[name]) for name in ("qualified", "accepted", "rejected", "won"))
        amounts = (f"{it['amount']:,.2f} {it['currency']}" for it in outcome["revenue"])
        table.add_row(outcome["campaign"], *counts, " + ".join(amounts))
    console.print(table)
    console.print(
        "Signed webhooks `campaign.outcome`, one a campaign and day. They are sent an hour after midnight (UTC); "
        "this demonstration has sent today's at once.",
        style="dim",
    )
