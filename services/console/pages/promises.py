"""The page Promises: the board of clocks by due time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from services.console.apis import Apis, Gap, Service
from services.console.pages.page import (
    HANDOFF_CHANGES,
    SLA_CHANGES,
    Export,
    Page,
    Source,
    View,
)
from services.console.report.names import REPS, names_of

COUNTED: Final = ("team", "rep", "tier", "kind", "scope")
"""Filters of the lists that the counts have, too."""

FILTERS: Final = (*COUNTED, "source", "campaign")
LISTS: Final = {"breaches": "Open breaches", "at-risk": "At risk", "upcoming": "Running"}
PART, WHOLE = 15, 100
"""Rows of each list on the board, and of the one list that is opened."""

KINDS: Final = ("accept", "first_touch", "meeting", "outcome", "attempts", "satisfaction")


async def load(apis: Apis, view: View) -> Mapping[str, Any]:
    """The counts, and the three lists, or the one that `show` names."""
    filters = {name: view.query.get(name) for name in FILTERS}
    show = view.query.get("show", "")
    names = [show] if show in LISTS else list(LISTS)
    parts = await apis.parts(
        counts=_counts(apis, view, filters),
        reps=apis.get(Service.ROUTING, REPS),
        **{name: _list(apis, view, name, filters) for name in names},
    )
    board = {name: with_shares(parts[name], view.now) for name in names}
    return {
        "counts": parts["counts"],
        "rep_names": names_of(parts["reps"]),
        "board": board,
        "titles": LISTS,
        "kinds": KINDS,
        "opened": show if show in LISTS else "",
        "counts_all": bool(filters["source"] or filters["campaign"]),
    }


async def _counts(apis: Apis, view: View, filters: Mapping[str, str | None]) -> Any:
    """The counts, of all sources and campaigns; of a journey there are none for a rep's key."""
    filters = {name: filters[name] for name in COUNTED}
    if view.visitor.scope == "rep":
        filters = {**filters, "scope": None}
    return await apis.get(Service.SLA, "/v1/sla/counts", **filters)


async def _list(apis: Apis, view: View, name: str, filters: Mapping[str, str | None]) -> Any:
    is_opened = view.query.get("show") == name
    more = {"after": view.query.get("after")} if is_opened else {}
    if name == "breaches":
        more["acknowledged"] = view.query.get("acknowledged")
    limit = WHOLE if is_opened else PART
    return await apis.get(Service.SLA, f"/v1/sla/{name}", limit=limit, **filters, **more)


def source_of(view: View) -> Source:
    """The list that `show` names, or else the open breaches."""
    show = view.query.get("show", "")
    name = show if show in LISTS else "breaches"
    query = {it: view.query.get(it) for it in FILTERS}
    if name == "breaches":
        query["acknowledged"] = view.query.get("acknowledged")
    return Source(Service.SLA, f"/v1/sla/{name}", query)


def with_shares(clocks: Any, now: datetime) -> Any:
    """The list, in which each clock has the share of its time that is left, 0 to 1."""
    if isinstance(clocks, Gap):
        return clocks
    return {**clocks, "items": [{**it, "share": share_left(it, now)} for it in clocks["items"]]}


def share_left(clock: Mapping[str, Any], now: datetime) -> float:
    """The share of the time from the start to the due time that is left, 0 to 1."""
    started_at, due_at = (datetime.fromisoformat(clock[it]) for it in ("started_at", "due_at"))
    whole_s = max((due_at - started_at).total_seconds(), 1.0)
    return min(max((due_at - now).total_seconds() / whole_s, 0.0), 1.0)


PAGE = Page(
    path="/sla",
    title="Promises",
    template="promises.html",
    load=load,
    streams=(SLA_CHANGES, HANDOFF_CHANGES),
    key="s",
)
EXPORT = Export("/sla.csv", source_of)
