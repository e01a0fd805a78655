"""The pages Leads: a search, and the story of one lead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.console.apis import Apis, Gap, Refusal, Service
from services.console.pages.cards import CardView, card_of
from services.console.pages.page import (
    EVERYBODY,
    HANDOFF_CHANGES,
    SLA_CHANGES,
    Act,
    Export,
    Outcome,
    Page,
    Source,
    View,
)
from services.console.pages.story import Handoff, story
from services.console.report.names import REPS, names_of

PATH = "/leads"
MAX_SEARCH = 200
MAX_EVENTS = 200
MAX_HANDOFFS = 10
"""How much of a lead its story shows; older events are a page of their own away."""


async def load(apis: Apis, view: View) -> Mapping[str, Any]:
    """The leads that the search finds, or those that qualified last."""
    search = view.search
    call = apis.get(Service.SCORING, "/v1/leads", q=search, after=view.query.get("after"), limit=50)
    try:
        return {"search": search, **await apis.parts(leads=call)}
    except Refusal as refusal:
        if refusal.problem_code != "short_search":
            raise
        leads: dict[str, Any] = {"items": [], "next": None}
        return {"search": search, "leads": leads, "refusal": refusal.message}


async def find(_: Apis, __: View, fields: Mapping[str, str]) -> Outcome:
    """Search for leads; what is searched for may be a name or an address, so that the URL has it encrypted."""
    return Outcome(PATH, "", search=" ".join(fields.get("q", "").split())[:MAX_SEARCH])


def source_of(view: View) -> Source:
    """The leads that the search finds, or those that qualified last."""
    return Source(Service.SCORING, "/v1/leads", {"q": view.search})


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
        reps=apis.get(Service.ROUTING, REPS),
    )
    listed, names = parts.pop("listed"), names_of(parts.pop("reps"))
    handoffs = [] if isinstance(listed, Gap) else await _handoffs(apis, listed["items"])
    gaps = [it for it in (*parts.values(), listed) if isinstance(it, Gap)]
    gaps += [it.clocks for it in handoffs if isinstance(it.clocks, Gap)]
    rows = story(parts["lead"], parts["events"], handoffs, names)
    card_view = CardView() if isinstance(parts["lead"], Gap) else card_of(parts["lead"])
    return {**parts, "rows": rows, "card": card_view, "gaps": {it.message for it in gaps}}


async def reopen(apis: Apis, view: View, _: Mapping[str, str]) -> Outcome:
    """Let a lead qualify again that a rep has disqualified."""
    id = view.values["lead_id"]
    await apis.post(Service.SCORING, f"/v1/leads/{id}/reopen")
    return Outcome(f"/leads/{id}", "The lead may qualify again.")


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
    Page(
        path=PATH,
        title="Leads",
        template="leads.html",
        load=load,
        streams=(HANDOFF_CHANGES,),
        key="l",
    ),
    Page(
        path="/leads/{lead_id:uuid}",
        title="Lead",
        template="lead.html",
        load=load_story,
        scopes=EVERYBODY,
        streams=(HANDOFF_CHANGES, SLA_CHANGES),
    ),
)
FIND_LEADS = Act(f"{PATH}/find", find, back=PATH, scopes=EVERYBODY)
REOPEN = Act(f"{PATH}/{{lead_id:uuid}}/reopen", reopen, back=f"{PATH}/{{lead_id}}")
EXPORTS = (
    Export(f"{PATH}.csv", source_of),
    Export(
        "/leads/{lead_id:uuid}/events.csv",
        lambda view: Source(Service.SCORING, f"/v1/leads/{view.values['lead_id']}/events", {}),
    ),
)
