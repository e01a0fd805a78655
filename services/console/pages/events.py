"""The page Events: what comes in, what was refused, and a second chance for that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.console.apis import Apis, Service
from services.console.pages.page import EVENT_CHANGES, OPS, READERS, Act, Outcome, Page, View


async def load(apis: Apis, view: View) -> Mapping[str, Any]:
    """The latest accepted events and the latest refused ones, both of the source that the query names."""
    query = view.query
    return await apis.parts(
        events=apis.get(
            Service.SCORING,
            "/v1/events",
            source=query.get("source"),
            type=query.get("type"),
            since=query.get("since"),
            until=query.get("until"),
            after=query.get("after"),
            limit=50,
        ),
        rejections=apis.get(
            Service.SCORING,
            "/v1/rejections",
            source=query.get("source"),
            code=query.get("code"),
            since=query.get("since"),
            until=query.get("until"),
            limit=25,
        ),
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
