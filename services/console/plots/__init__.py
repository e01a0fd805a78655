"""Plots as SVG from the server, each with its table or beside one. The style sheet has the colours."""

from __future__ import annotations

from services.console.plots.charts import (
    DURATION_STEPS,
    Axes,
    Series,
    bars,
    line_picture,
    lines,
)
from services.console.plots.elements import captioned
from services.console.plots.horizontal import Bar, BarRow, horizontal_bars
from services.console.plots.timeline import Mark, Span, timeline
from services.console.plots.waterfall import Step, waterfall

__all__ = [
    "DURATION_STEPS",
    "Axes",
    "Bar",
    "BarRow",
    "Mark",
    "Series",
    "Span",
    "Step",
    "bars",
    "captioned",
    "horizontal_bars",
    "line_picture",
    "lines",
    "timeline",
    "waterfall",
]
