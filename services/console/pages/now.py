"""The page Now: what needs somebody, each number with the list behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from markupsafe import Markup

from services.console.apis import Apis, Service
from services.console.formats import instant, number_text
from services.console.pages.page import HANDOFF_CHANGES, SLA_CHANGES, Page, View
from services.console.pages.promises import with_shares
from services.console.plots import Axes, Series, bars
from services.console.report.names import REPS, names_of

ROWS: Final = 8
"""Rows of each list; its number leads to all of them."""

MAX_EXPLAINED: Final = 3
"""Of so many waiting leads the page says why they wait."""

SOON: Final = timedelta(hours=1)

OF_OPS: Final = ("waiting", "recent", "health", "days", "endpoints")
"""The parts that a rep's key may not see."""


async def load(apis: Apis, view: View) -> Mapping[str, Any]:
    """The numbers, and the first rows of each list; what a rep's key may not see is left out."""
    is_rep = view.visitor.scope == "rep"
    soon = (view.now + SOON).isoformat()
    calls = {
        "counts": apis.get(Service.SLA, "/v1/sla/counts"),
        "breaches": apis.get(Service.SLA, "/v1/sla/breaches", limit=ROWS),
        "upcoming": apis.get(Service.SLA, "/v1/sla/upcoming", limit=ROWS, until=soon),
        "handoffs": apis.get(Service.ROUTING, "/v1/handoffs/counts", days=1),
        "untouched": _handoffs(apis, "accepted"),
        "reps": apis.get(Service.ROUTING, REPS),
    }
    if not is_rep:
        calls |= {
            "waiting": _waiting(apis),
            "recent": apis.get(Service.SLA, "/v1/sla/recent"),
            "health": apis.get(Service.SLA, "/v1/health"),
            "days": apis.get(Service.ALIGNMENT, "/v1/alignment/health"),
            "endpoints": _failing_endpoints(apis),
        }
    parts = dict.fromkeys(OF_OPS) | await apis.parts(**calls)
    return {
        **parts,
        "upcoming": with_shares(parts["upcoming"], view.now),
        "rep_names": names_of(parts["reps"]),
        "plot": recent_plot(parts["recent"], view),
        "behind": behind(parts["health"]),
        "late": late(parts["days"]),
    }


async def _handoffs(apis: Apis, state: str) -> Any:
    """The oldest handoffs in this state."""
    return await apis.get(Service.ROUTING, "/v1/handoffs", state=state, sort="oldest", limit=ROWS)


async def _waiting(apis: Apis) -> Any:
    """The leads that have waited longest, the first of them with the reasons why no rep could take them."""
    page = await _handoffs(apis, "waiting")
    first = page["items"][:MAX_EXPLAINED]
    details = await asyncio.gather(
        *(apis.get(Service.ROUTING, f"/v1/handoffs/{it['id']}") for it in first)
    )
    reasons = {it["id"]: waiting_reason(it["decision"]) for it in details}
    return {**page, "items": [{**it, "reason": reasons.get(it["id"])} for it in page["items"]]}


def waiting_reason(decision: Mapping[str, Any] | None) -> str | None:
    """Why no rep could take the lead, such as `2 full, 1 outside hours`; None where nobody was asked."""
    if decision is None:
        return None
    counts: dict[str, int] = {}
    for candidate in decision["candidates"]:
        for exclusion in candidate["excluded"][:1]:
            reason = str(exclusion["reason"]).replace("_", " ")
            counts[reason] = counts.get(reason, 0) + 1
    if not counts:
        return "the team has no rep"
    ordered = sorted(counts.items(), key=lambda it: (-it[1], it[0]))
    return ", ".join(f"{count} {reason}" for reason, count in ordered)


async def _failing_endpoints(apis: Apis) -> Any:
    """The endpoints that hang, fail or are disabled."""
    states = await asyncio.gather(
        *(
            apis.get(Service.ROUTING, "/v1/endpoints", state=it)
            for it in ("hanging", "failing", "disabled")
        )
    )
    return [endpoint for it in states for endpoint in it["items"]]


def recent_plot(recent: Any, view: View) -> Markup | None:
    """Promises kept and broken in the last hour; None where there are none, or they are not known."""
    if not isinstance(recent, dict) or not any(
        it["met"] + it["breached"] for it in recent["items"]
    ):
        return None
    zone = view.zone
    labels = [f"{instant(it['since']).astimezone(zone):%H:%M}" for it in recent["items"]]
    series = [
        Series("kept", [it["met"] for it in recent["items"]], 2),
        Series("broken", [it["breached"] for it in recent["items"]], 3),
    ]
    return bars("Promises of the last hour", series, Axes("From", labels, number_text))


def behind(health: Any) -> Mapping[str, Any] | None:
    """The dead letters, the records that no group has processed, and the longest wait; None where not known."""
    if not isinstance(health, dict):
        return None
    waits = [it["oldest_s"] for it in (*health["lags"], health["outbox"])]
    return {
        "dead_letters": sum(it["count"] for it in health["dead_letters"]),
        "records": sum(it["records"] for it in health["lags"]) + health["outbox"]["unpublished"],
        "oldest_s": max(waits, default=0.0),
    }


def late(days: Any) -> list[Mapping[str, Any]]:
    """What alignment does a day at a time and is late with."""
    return [it for it in days["items"] if it["ok"] is False] if isinstance(days, dict) else []


PAGE = Page(
    path="/",
    title="Now",
    template="now.html",
    load=load,
    streams=(SLA_CHANGES, HANDOFF_CHANGES),
    key="n",
)
