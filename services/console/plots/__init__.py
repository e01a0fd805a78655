"""Plots as SVG from the server: bars, lines and timelines, each with its table. The style sheet has the colours."""

from __future__ import annotations

from services.console.plots.charts import DURATION_STEPS, Axes, Series, bars, lines
from services.console.plots.timeline import Mark, Span, timeline

__all__ = ["DURATION_STEPS", "Axes", "Mark", "Series", "Span", "bars", "lines", "timeline"]
