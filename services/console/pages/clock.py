"""The page of a clock: why it is due when it is, as a timeline; and its acknowledgement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from markupsafe import Markup

from services.console.apis import Apis, Service
from services.console.formats import duration_text, instant
from services.console.pages.page import OPS, SLA_CHANGES, Act, Outcome, Page, View
from services.console.plots import Mark, Span, timeline
from services.console.report.names import REPS, names_of

MAX_TICKS: Final = 9
STEPS: Final = [
    *(timedelta(minutes=it) for it in (5, 15, 30, 60, 120, 360)),
    *(timedelta(days=it) for it in (1, 2, 7, 14, 28, 91)),
]
"""The distances between two ticks of a timeline."""

NOTE_CHARACTERS: Final = 500
NOTIFIED: Final = ("rep", "lead", "team", "ops")
"""The steps of a ladder that notify somebody; others do something."""


async def load(apis: Apis, view: View) -> Mapping[str, Any]:
    """The explanation of the clock, with its timeline in the zone of its calendar."""
    path = f"/v1/sla/clocks/{view.values['id']}/explain"
    parts = await apis.parts(
        clock=apis.get(Service.SLA, path), reps=apis.get(Service.ROUTING, REPS)
    )
    clock = parts["clock"]
    plot = None if not isinstance(clock, dict) else plot_of(clock, view.now)
    return {
        "clock": clock,
        "plot": plot,
        "rep_names": names_of(parts["reps"]),
        "max_note": NOTE_CHARACTERS,
    }


def plot_of(clock: Mapping[str, Any], now: datetime) -> Markup:
    """The clock from its start to its due time, and on to its end or to now."""
    zone = ZoneInfo(clock["zone"])
    end = now if clock["ended_at"] is None else instant(clock["ended_at"])
    marks = list(_marks(clock, end))
    first, last = min(it.at for it in marks), max(it.at for it in marks)

    def write(at: datetime) -> str:
        return at.astimezone(zone).strftime("%a %d %b %Y, %H:%M:%S")

    ticks = ticks_between(first, last, zone)
    return timeline(
        f"Time of this promise, in {clock['zone']}", list(_spans(clock, end)), marks, ticks, write
    )


def _spans(clock: Mapping[str, Any], end: datetime) -> Iterator[Span]:
    """Working hours: spent until the end, left after it, overdue after the due time."""
    for since, until in _bounds(clock["intervals"]):
        if since < end:
            spent_until = min(until, end)
            yield Span(since, spent_until, "open", f"{_length(since, spent_until)} counted")
        if until > end:
            left_since = max(since, end)
            yield Span(left_since, until, "left", f"{_length(left_since, until)} left")
    for since, until in _bounds(clock["pauses"]):
        yield Span(since, until, "paused", f"{_length(since, until)} paused")
    for since, until in _bounds(clock["overdue_intervals"]):
        yield Span(since, until, "overdue", f"{_length(since, until)} overdue")


def _bounds(intervals: Sequence[Mapping[str, Any]]) -> list[tuple[datetime, datetime]]:
    return [(instant(it["since"]), instant(it["until"])) for it in intervals]


def _length(since: datetime, until: datetime) -> str:
    return duration_text((until - since).total_seconds())


def _marks(clock: Mapping[str, Any], end: datetime) -> Iterator[Mark]:
    yield Mark(instant(clock["started_at"]), "start")
    yield Mark(instant(clock["warn_at"]), "warning", "warning")
    yield Mark(instant(clock["due_at"]), "due", "due")
    for step in clock["escalation_steps"]:
        if instant(step["at"]) <= end:
            yield Mark(instant(step["at"]), _text_of_step(step["step"]))
    if clock["acknowledged_at"] is not None:
        yield Mark(instant(clock["acknowledged_at"]), "acknowledged")
    is_open = clock["ended_at"] is None
    yield Mark(end, "now" if is_open else clock["ended_by"] or clock["state"], "end")


def _text_of_step(step: str) -> str:
    return f"{step} notified" if step in NOTIFIED else step.replace("_", " ")


def ticks_between(first: datetime, last: datetime, zone: ZoneInfo) -> list[Mark]:
    """At most MAX_TICKS round local times between two instants: hours of one day, or dates."""
    step = next((it for it in STEPS if (last - first) / it <= MAX_TICKS), STEPS[-1])
    pattern = "%a %d %b" if step >= timedelta(days=1) else "%H:%M"
    at = first.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    ticks = []
    while at <= last:
        if at >= first:
            ticks.append(Mark(at, at.strftime(pattern)))
        at += step
    return ticks


async def acknowledge(apis: Apis, view: View, fields: Mapping[str, str]) -> Outcome:
    """Acknowledge the breach, with the note."""
    path = f"/v1/sla/clocks/{view.values['id']}/acknowledge"
    await apis.post(Service.SLA, path, {"note": fields.get("note", "").strip()})
    return Outcome(f"/sla/clocks/{view.values['id']}", "The breach is acknowledged.")


PAGE = Page(
    path="/sla/clocks/{id}",
    title="Promise",
    template="clock.html",
    load=load,
    streams=(SLA_CHANGES,),
)
ACKNOWLEDGE = Act(
    path="/sla/clocks/{id}/acknowledge", run=acknowledge, back="/sla/clocks/{id}", scopes=OPS
)
