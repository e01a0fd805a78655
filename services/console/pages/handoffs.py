"""The pages on handoffs: their list with filters and saved views, one handoff with its answers, and why this rep."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from services.console.apis import Apis, Gap, Service
from services.console.formats import instant
from services.console.pages.cards import CardView, card_of
from services.console.pages.page import (
    HANDOFF_CHANGES,
    SLA_CHANGES,
    Act,
    Export,
    Outcome,
    Page,
    Source,
    View,
)
from services.console.pages.story import LADDER_OUTCOMES
from services.console.report.names import REPS, names_of

LIVE = ("waiting", "assigned", "accepted", "contacted")
ENDS = ("won", "lost", "recycled", "disqualified", "returned", "merged")
STATES = {"open": LIVE, "closed": ENDS, **{it: (it,) for it in (*LIVE, *ENDS)}}
"""What the filter of states offers: all that are live, all that have ended, or one."""

AGES = {
    "1h": ("the last hour", timedelta(hours=1), None),
    "1d": ("the last 24 hours", timedelta(days=1), None),
    "7d": ("the last 7 days", timedelta(days=7), None),
    "older_1d": ("more than 24 hours ago", None, timedelta(days=1)),
    "older_7d": ("more than 7 days ago", None, timedelta(days=7)),
}
"""What the filter of ages offers: its text, and how long ago a handoff qualified at the earliest and at the latest."""

TEXTS = ("team", "rep", "tier", "source", "campaign")
PAGE_SIZE = 50
MAX_VIEW_NAME = 100
ANSWERERS = ("ops", "rep")


def narrowed(view: View) -> dict[str, Any]:
    """The parameters of the API's list for the filters of this address."""
    query = view.query
    parameters: dict[str, Any] = {it: query.get(it) for it in (*TEXTS, "sort", "after", "lead")}
    state = query.get("state", "")
    parameters["state"] = list(STATES.get(state, (state,))) if state else None
    if query.get("age") in AGES:
        _, earliest, latest = AGES[query["age"]]
        parameters["since"] = earliest and (view.now - earliest).isoformat()
        parameters["until"] = latest and (view.now - latest).isoformat()
    return parameters


async def load_list(apis: Apis, view: View) -> Mapping[str, Any]:
    """The handoffs that the filters leave, with what the filters offer."""
    parts = await apis.parts(
        handoffs=apis.get(Service.ROUTING, "/v1/handoffs", limit=PAGE_SIZE, **narrowed(view)),
        counts=apis.get(Service.ROUTING, "/v1/handoffs/counts", days=1),
        views=apis.get(Service.ROUTING, "/v1/views"),
        reps=apis.get(Service.ROUTING, REPS),
    )
    filters = {name: view.query[name] for name in view.query if name != "after"}
    listed = [] if isinstance(parts["handoffs"], Gap) else parts["handoffs"]["items"]
    return {
        **parts,
        "paused": {it["id"] for it in listed if _is_paused(it, view)},
        "names": names_of(parts["reps"]),
        "states": list(STATES),
        "ages": {name: text for name, (text, *_) in AGES.items()},
        "filters": filters,
        "saved_query": urlencode(filters),
    }


async def load_one(apis: Apis, view: View) -> Mapping[str, Any]:
    """One handoff with its steps, its webhooks and what may be answered, and its promises."""
    parts = await apis.parts(
        handoff=apis.get(Service.ROUTING, f"/v1/handoffs/{view.values['id']}"),
        clocks=apis.get(Service.SLA, "/v1/sla/clocks", handoff=view.values["id"]),
        reps=apis.get(Service.ROUTING, REPS),
    )
    handoff = parts["handoff"]
    paused = not isinstance(handoff, Gap) and _is_paused(handoff, view)
    return {
        **parts,
        "card": CardView() if isinstance(handoff, Gap) else card_of(handoff["lead"]),
        "names": names_of(parts["reps"]),
        "live_states": LIVE,
        "paused": paused,
        "ladder_outcomes": LADDER_OUTCOMES,
    }


def _is_paused(handoff: Mapping[str, Any], view: View) -> bool:
    """Whether the handoff's last pause is not over yet."""
    return handoff["paused_until"] is not None and instant(handoff["paused_until"]) > view.now


async def load_why(apis: Apis, view: View) -> Mapping[str, Any]:
    """The decision of the newest hop, or of the hop that the address names."""
    parts = await apis.parts(
        handoff=apis.get(Service.ROUTING, f"/v1/handoffs/{view.values['id']}"),
        reps=apis.get(Service.ROUTING, REPS),
    )
    decisions = [] if isinstance(parts["handoff"], Gap) else parts["handoff"]["decisions"]
    of_hop = [it for it in decisions if str(it["hop"]) == view.query.get("hop")]
    newest = decisions[-1] if decisions else None
    return {
        **parts,
        "names": names_of(parts["reps"]),
        "decision": of_hop[0] if of_hop else newest,
    }


def answer(verb: str, status: str, *names: str) -> Act:
    """The act of an answer, whose form has the hop, a note and fields of these names."""

    async def run(apis: Apis, view: View, fields: Mapping[str, str]) -> Outcome:
        body = {name: fields[name] for name in ("hop", "note", *names) if fields.get(name)}
        await apis.post(Service.ROUTING, f"/v1/handoffs/{view.values['id']}/{verb}", body)
        return Outcome(f"/handoffs/{view.values['id']}", status)

    return Act(f"/handoffs/{{id:uuid}}/{verb}", run, back="/handoffs/{id}", scopes=ANSWERERS)


async def reassign(apis: Apis, view: View, fields: Mapping[str, str]) -> Outcome:
    """Take the handoff from its rep; another one gets it, or the one whom the form names."""
    body: dict[str, Any] = {it: fields[it] for it in ("hop", "to", "reason") if fields.get(it)}
    if fields.get("force"):
        body["force"] = True
    answered = await apis.post(Service.ROUTING, f"/v1/handoffs/{view.values['id']}/reassign", body)
    status = f"Reassigned to {answered['rep']}." if answered["rep"] else "Taken back: it waits now."
    return Outcome(f"/handoffs/{view.values['id']}", status)


async def save_view(apis: Apis, _: View, fields: Mapping[str, str]) -> Outcome:
    """Save the filters under a name."""
    name, query = fields.get("name", "").strip()[:MAX_VIEW_NAME], fields.get("query", "")
    body = {"query": query, "shared": bool(fields.get("shared"))}
    await apis.put(Service.ROUTING, f"/v1/views/{quote(name or '-', safe='')}", body)
    return Outcome(f"/handoffs?{query}", f"The view {name} is saved.")


async def delete_view(apis: Apis, _: View, fields: Mapping[str, str]) -> Outcome:
    """Delete one of the visitor's views."""
    name = fields.get("name", "")
    await apis.delete(Service.ROUTING, f"/v1/views/{quote(name or '-', safe='')}")
    return Outcome("/handoffs", f"The view {name} is deleted.")


HANDOFFS = Page(
    path="/handoffs",
    title="Handoffs",
    template="handoffs.html",
    load=load_list,
    streams=(HANDOFF_CHANGES,),
    key="h",
)
HANDOFF = Page(
    path="/handoffs/{id:uuid}",
    title="Handoff",
    template="handoff.html",
    load=load_one,
    streams=(HANDOFF_CHANGES, SLA_CHANGES),
)
WHY = Page(path="/handoffs/{id:uuid}/why", title="Why this rep", template="why.html", load=load_why)
PAGES = (HANDOFFS, HANDOFF, WHY)
ACTS = (
    answer("accept", "Accepted."),
    answer("reject", "Handed back.", "reason"),
    answer("contact", "The contact is noted.", "channel", "outcome"),
    answer("pause", "Paused.", "reason"),
    answer("resume", "Resumed."),
    answer("win", "Won.", "amount", "currency"),
    answer("lose", "Lost.", "reason"),
    Act("/handoffs/{id:uuid}/reassign", reassign, back="/handoffs/{id}"),
    Act("/handoffs/views", save_view, back="/handoffs", scopes=ANSWERERS),
    Act("/handoffs/views/delete", delete_view, back="/handoffs", scopes=ANSWERERS),
)
EXPORT = Export(
    "/handoffs.csv", lambda view: Source(Service.ROUTING, "/v1/handoffs", narrowed(view))
)
