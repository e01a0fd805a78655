"""Prints what marketing was told of its campaigns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

Json = Mapping[str, Any]
NOTHING = (
    "Nothing new: it is told of each campaign and day once, and of today by the first start of this demonstration. "
    "The next webhooks come an hour after midnight (UTC)."
)
EXPLANATION = (
    "Signed webhooks `campaign.outcome`, one a campaign and day. They come an hour after midnight (UTC); "
    "this demonstration has sent today's at once."
)


def print_outcomes(outcomes: Sequence[Json], console: Console) -> None:
    """Print the outcome of each campaign and day that the endpoint of marketing has received."""
    console.print()
    console.rule(Text("What marketing is told of its campaigns", "bold"))
    if not outcomes:
        console.print(NOTHING, soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False)
    for title in ("day", "campaign", "qualified", "accepted", "rejected", "won", "revenue"):
        table.add_column(title, justify="left" if title in {"day", "campaign"} else "right")
    for outcome in sorted(outcomes, key=lambda it: (it["day"], -int(it["qualified"]))):
        counts = (str(outcome[name]) for name in ("qualified", "accepted", "rejected", "won"))
        amounts = (f"{it['amount']:,.2f} {it['currency']}" for it in outcome["revenue"])
        table.add_row(outcome["day"], outcome["campaign"], *counts, " + ".join(amounts))
    console.print(table)
    console.print(EXPLANATION, style="dim", soft_wrap=True)
