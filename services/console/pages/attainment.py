"""The page of attainment: how promises were kept, and how fast, by group and from day to day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from markupsafe import Markup

from services.console.apis import Apis, Service
from services.console.formats import duration_text, percent_text
from services.console.pages.page import Export, Page, Source, View
from services.console.pages.promises import KINDS as PROMISE_KINDS
from services.console.plots import DURATION_STEPS, Axes, Series, lines
from services.console.report.names import REPS, names_of

GROUPS: Final = ("team", "rep", "tier", "source", "campaign")
OF_LEADS: Final = ("source", "campaign")
"""What promises are counted by for teams and tiers alone, not for a rep."""

NO_NAME: Final = {"source": "no source", "campaign": "no campaign"}
TIMES: Final = {"business": "working time", "wall": "time by the wall"}
MAX_SERIES: Final = 4
"""So many groups have a line: those with the most promises."""

KINDS: Final = {"accept": "Time to accept", "first_touch": "Time to the first touch"}


async def load(apis: Apis, view: View) -> Mapping[str, Any]:
    """The report of each group, and the plots of the days where the series are not too many."""
    by, query = grouping(view)
    time = view.query.get("time", "business")
    time = time if time in TIMES else "business"
    has_days = by != "rep" or query["team"] is not None or view.visitor.scope == "rep"
    parts = await apis.parts(
        report=apis.get(Service.SLA, "/v1/sla/attainment", by=by, **query),
        reps=apis.get(Service.ROUTING, REPS),
        **({"daily": _daily(apis, by, query)} if has_days else {}),
    )
    names = names_of(parts["reps"]) if by == "rep" else {"": NO_NAME.get(by, "")}
    daily = parts.get("daily")
    return {
        "promise_kinds": PROMISE_KINDS,
        "report": parts["report"],
        "daily": daily,
        "plots": plots_of(daily, time, names) if isinstance(daily, dict) else [],
        "rep_names": names,
        "by": by,
        "groups": groups_of(view),
        "time": time,
        "times": TIMES,
        "kinds": KINDS,
    }


def groups_of(view: View) -> tuple[str, ...]:
    """What the visitor may group the report by."""
    return tuple(it for it in GROUPS if view.visitor.scope != "rep" or it not in OF_LEADS)


def grouping(view: View) -> tuple[str, dict[str, str | None]]:
    """What each row of the report is about, and what narrows it."""
    by = view.query.get("by", "team")
    filters = (
        "kind",
        "team",
        "tier",
        "since",
        "until",
        *(OF_LEADS if view.visitor.scope != "rep" else ()),
    )
    query = {name: view.query.get(name) for name in filters}
    return by if by in groups_of(view) else "team", query


def _export(path: str, api_path: str) -> Export:
    """A report as CSV."""

    def source_of(view: View) -> Source:
        by, query = grouping(view)
        return Source(Service.SLA, api_path, {"by": by, **query})

    return Export(path, source_of)


async def _daily(apis: Apis, by: str, query: Mapping[str, str | None]) -> Any:
    return await apis.get(Service.SLA, "/v1/sla/attainment/daily", by=by, **query)


def plots_of(
    daily: Mapping[str, Any], time: str, names: Mapping[str, str]
) -> list[tuple[str, Markup]]:
    """Attainment from day to day, and the speed of each kind of promise that was answered, with their titles."""
    series = sorted(daily["series"], key=lambda it: -sum(day["promised"] for day in it["days"]))
    largest = sorted(series[:MAX_SERIES], key=lambda it: str(it["group"]))
    dates = _dates(daily["since"], daily["until"])
    labels = [f"{day.day} {day:%b}" for day in dates]
    share = _lines(largest, dates, names, lambda day: day["attainment"])
    title = "Promises kept"
    plots = [(title, lines(title, share, Axes("Day", labels, percent_text, top=1.0)))]
    for kind, name in KINDS.items():
        for part, words in (("p50", "half"), ("p90", "nine of ten")):
            values = _lines(largest, dates, names, _speed(kind, f"{time}_{part}_s"))
            if any(value is not None for it in values for value in it.values):
                title = f"{name}: {words} within, in {TIMES[time]}"
                axes = Axes("Day", labels, duration_text, steps=DURATION_STEPS)
                plots.append((title, lines(title, values, axes)))
    return plots


def _dates(since: str, until: str) -> list[date]:
    first, last = date.fromisoformat(since), date.fromisoformat(until)
    return [first + timedelta(days=index) for index in range((last - first).days + 1)]


def _speed(kind: str, field: str) -> Any:
    """Reads the speed of a day's report; None where nothing was answered."""
    return lambda day: None if day[kind] is None else day[kind][field]


def _lines(
    series: Sequence[Mapping[str, Any]], dates: Sequence[date], names: Mapping[str, str], read: Any
) -> list[Series]:
    """A line for each group; no point on a day without a report."""
    return [
        Series(
            names.get(it["group"], it["group"]),
            [read(day) if day is not None else None for day in _days(it["days"], dates)],
            style,
        )
        for style, it in enumerate(series)
    ]


def _days(
    reports: Sequence[Mapping[str, Any]], dates: Sequence[date]
) -> list[Mapping[str, Any] | None]:
    by_date = {report["group"]: report for report in reports}
    return [by_date.get(day.isoformat()) for day in dates]


PAGE = Page(
    path="/sla/attainment",
    title="Attainment",
    template="attainment.html",
    load=load,
)
EXPORTS = (
    _export("/sla/attainment.csv", "/v1/sla/attainment"),
    _export("/sla/attainment/daily.csv", "/v1/sla/attainment/daily"),
)
