"""The figures as a reader sees them."""

from __future__ import annotations

from rich.console import Console

from services.demo.figures import Figures
from services.demo.receiver import WebhookCounts
from services.demo.screen import line, view

FIGURES = Figures(
    events_sent=120,
    events_accepted=131,
    events_kept=120,
    leads=40,
    qualified=6,
    assigned={"mara": 2, "ravi": 4},
    waiting=1,
    delivered=5,
    running=3,
    met=2,
    breaches=1,
)


def test_the_view_names_every_figure() -> None:
    console = Console(width=110, record=True, quiet=False, file=None, force_terminal=False)
    with console.capture() as capture:
        console.print(
            view(FIGURES, {"mara": "answers at once"}, WebhookCounts(), total=400, calendar="3 Nov")
        )

    for word in ("120 sent", "11  dropped", "1 wait", "mara", "answers at once", "3 Nov"):
        assert word in capture.get()


def test_the_line_says_it_without_a_terminal() -> None:
    text = line(FIGURES)

    assert "120 counted of 120 sent, 11 dropped" in text
    assert "mara 2, ravi 4" in text
    assert "1 breached" in text


def test_nobody_is_named_before_the_first_assignment() -> None:
    assert "nobody yet" in line(Figures())
