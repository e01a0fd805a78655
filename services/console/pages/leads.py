"""The pages Leads: a search, and the story of one lead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.console.apis import Apis, Gap, Refusal, Service
from services.console.pages.page import EVERYBODY, HANDOFF_CHANGES, SLA_CHANGES, Page, View
from services.console.pages.story import Handoff, story

MAX_EVENTS = 200
MAX_HANDOFFS = 10
"""How much of a lead its story shows; older events are a page of their own away."""


async def load(apis: Apis, view: View) -> Mapping[str, Any]:
    """The leads that the search finds, or those that qualified last."""
    query, after = view.query.get("q"), view.query.get("after")
    try:
        return await apis.parts(
            leads=apis.get(Service.SCORING, "/v1/leads", q=query, after=after, limit=50)
        )
    except Refusal as refusal:
        if refusal.problem_code != "short_search":
            raise
        return {"leads": {"items": [], "next": None}, "refusal": refusal.message}


async def load_story(apis: Apis, view: View) -> Mapping[str, Any]:
    """Everything that is known of one lead, of all three services, oldest first."""
    path = f"/v1/leads/{view.values['lead_id']}"
    parts = await apis.parts(
        lead=apis.get(Service.SCORING, path),
        events=apis.get(
            Service.SCORING,
            f"{path}/events",
            limit=MAX_EVENTS,
            after=view.query.get("after"),
        ),
        listed=apis.get(
            Service.ROUTING,
            "/v1/handoffs",
            lead=view.values["lead_id"],
            limit=MAX_HANDOFFS,
        ),
    )
    listed = parts.pop("listed")
    handoffs = [] if isinstance(listed, Gap) else await _handoffs(apis, listed["items"])
    gaps = [it for it in (*parts.values(), listed) if isinstance(it, Gap)]
    gaps += [it.clocks for it in handoffs if isinstance(it.clocks, Gap)]
    rows = story(parts["lead"], parts["events"], handoffs)
    return {**parts, "rows": rows, "gaps": {it.message for it in gaps}}


async def _handoffs(apis: Apis, listed: list[dict[str, Any]]) -> list[Handoff]:
    """The handoffs with their steps and clocks."""
    ids = [it["id"] for it in listed]
    details = {id_: apis.get(Service.ROUTING, f"/v1/handoffs/{id_}") for id_ in ids}
    clocks = {
        f"clocks of {id_}": apis.get(Service.SLA, "/v1/sla/clocks", handoff=id_, limit=100)
        for id_ in ids
    }
    parts = await apis.parts(**details, **clocks)
    return [
        Handoff(parts[id_], parts[f"clocks of {id_}"])
        for id_ in ids
        if not isinstance(parts[id_], Gap)
    ]


PAGES = (
    Page(path="/leads", title="Leads", template="leads.html", load=load, key="l"),
    Page(
        path="/leads/{lead_id:uuid}",
        title="Lead",
        template="lead.html",
        load=load_story,
        scopes=EVERYBODY,
        streams=(HANDOFF_CHANGES, SLA_CHANGES),
    ),
)
