"""The page Events: what comes in, what was refused, and a second chance for that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.console.apis import Apis, Service
from services.console.pages.page import (
    EVENT_CHANGES,
    OPS,
    READERS,
    Act,
    Export,
    Outcome,
    Page,
    Source,
    View,
)

EVENTS, REJECTIONS, SOURCES = "/v1/events", "/v1/rejections", "/v1/events/sources"
"""The lists of scoring."""

FILTERS = {
    EVENTS: ("source", "type", "since", "until"),
    REJECTIONS: ("source", "code", "since", "until"),
    SOURCES: (),
}
"""What narrows each list."""


async def load(apis: Apis, view: View) -> Mapping[str, Any]:
    """The latest accepted events and the latest refused ones, both of the source that the query names."""
    return await apis.parts(
        events=apis.get(
            Service.SCORING,
            EVENTS,
            **narrowed(view, EVENTS),
            after=view.query.get("after"),
            limit=50,
        ),
        rejections=apis.get(Service.SCORING, REJECTIONS, **narrowed(view, REJECTIONS), limit=25),
        sources=apis.get(Service.SCORING, SOURCES),
    )


def narrowed(view: View, path: str) -> dict[str, str | None]:
    """The parameters of a list for the filters of this address."""
    return {name: view.query.get(name) for name in FILTERS[path]}


def _export(path: str, api_path: str) -> Export:
    """A list as CSV."""
    return Export(
        path,
        lambda view: Source(Service.SCORING, api_path, narrowed(view, api_path)),
        scopes=READERS,
    )


async def retry(apis: Apis, view: View, _: Mapping[str, str]) -> Outcome:
    """Take in a rejection again; the status says what became of its events."""
    path = f"/v1/rejections/{view.values['rejection_id']}/retry"
    answer = await apis.post(Service.SCORING, path)
    refused = [it["message"] for it in answer["results"].values() if it["status"] != "ok"]
    accepted = len(answer["results"]) - len(refused)
    if not refused:
        return Outcome("/events", f"Accepted: {accepted}. The rejection has left the list.")
    return Outcome("/events", f"Refused again: {refused[0]}")


PAGE = Page(
    path="/events",
    title="Events",
    template="events.html",
    load=load,
    scopes=READERS,
    streams=(EVENT_CHANGES,),
    key="e",
)
RETRY = Act(
    path="/events/rejections/{rejection_id:int}/retry", run=retry, back="/events", scopes=OPS
)
EXPORTS = (
    _export("/events.csv", EVENTS),
    _export("/events/rejections.csv", REJECTIONS),
    _export("/events/sources.csv", SOURCES),
)
