"""The page of a re-route: who would get a rep's handoffs, and how far it is once it is confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.console.apis import Apis, Service
from services.console.pages.page import (
    HANDOFF_CHANGES,
    READERS,
    Act,
    Export,
    Outcome,
    Page,
    Source,
    View,
)
from services.console.report.names import REPS, names_of

PAGE_SIZE = 100


async def load(apis: Apis, view: View) -> Mapping[str, Any]:
    """The re-route with its progress, and its handoffs."""
    path = f"/v1/reroutes/{view.values['id']}"
    parts = await apis.parts(
        reroute=apis.get(Service.ROUTING, path),
        moves=apis.get(
            Service.ROUTING, f"{path}/handoffs", limit=PAGE_SIZE, after=view.query.get("after")
        ),
        reps=apis.get(Service.ROUTING, REPS),
    )
    return {**parts, "names": names_of(parts["reps"])}


async def plan(apis: Apis, _: View, fields: Mapping[str, str]) -> Outcome:
    """Plan a re-route; nothing changes yet."""
    body = {name: fields[name] for name in ("rep", "reason") if fields.get(name)}
    reroute = await apis.post(Service.ROUTING, "/v1/reroutes", body)
    return Outcome(f"/reroutes/{reroute['id']}", "Planned: nothing has changed yet.")


def step(verb: str, status: str) -> Act:
    """The act that confirms or cancels a re-route."""

    async def run(apis: Apis, view: View, _: Mapping[str, str]) -> Outcome:
        await apis.post(Service.ROUTING, f"/v1/reroutes/{view.values['id']}/{verb}")
        return Outcome(f"/reroutes/{view.values['id']}", status)

    return Act(f"/reroutes/{{id:uuid}}/{verb}", run, back="/reroutes/{id}")


PAGES = (
    Page(
        path="/reroutes/{id:uuid}",
        title="Re-route",
        template="reroute.html",
        load=load,
        scopes=READERS,
        streams=(HANDOFF_CHANGES,),
    ),
)
ACTS = (
    Act("/reroutes", plan, back="/handoffs"),
    step("confirm", "Confirmed: the workers carry it out."),
    step("cancel", "Cancelled: what was moved stays where it is."),
)
EXPORT = Export(
    "/reroutes/{id:uuid}/handoffs.csv",
    lambda view: Source(Service.ROUTING, f"/v1/reroutes/{view.values['id']}/handoffs", {}),
    scopes=READERS,
)
