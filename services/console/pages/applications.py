"""The page of applications: what the agreement in force would make of running promises, and applying it to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from services.console.apis import Apis, Service
from services.console.pages.page import READERS, SLA_CHANGES, Act, Outcome, Page, View
from services.console.report.names import REPS, names_of

PATH: Final = "/sla/applications"
EFFECTS: Final = {
    "earlier": "due earlier",
    "later": "due later",
    "unchanged": "due as before",
    "breached": "breached at once",
    "met": "met at once",
    "cancelled": "cancelled",
    "kept": "kept as they are",
}
"""The effects on clocks, in words."""


async def load(apis: Apis, view: View) -> Mapping[str, Any]:
    """What would become of running promises, all or those of a policy that ended, and the last applications."""
    policy, after = view.query.get("policy") or None, view.query.get("after")
    parts = await apis.parts(
        preview=apis.get(Service.SLA, f"{API}/preview", policy=policy, after=after),
        applications=apis.get(Service.SLA, API),
        reps=apis.get(Service.ROUTING, REPS),
    )
    return {**parts, "names": names_of(parts["reps"]), "effects": EFFECTS, "policy": policy}


async def apply(apis: Apis, _: View, fields: Mapping[str, str]) -> Outcome:
    """Apply the version that was looked at; with a policy, end that policy alone."""
    version, policy = fields.get("agreement_version", ""), fields.get("policy")
    body = {"agreement_version": version, **({"policy": policy} if policy else {})}
    applied = await apis.post(Service.SLA, API, body)
    number = applied["agreement_version"]
    if policy:
        return Outcome(PATH, f"The policy {policy} is ending: its clocks are cancelled.")
    return Outcome(PATH, f"Version {number} is being applied: clocks move within seconds.")


API: Final = "/v1/sla/applications"
PAGE = Page(
    path=PATH,
    title="Running promises",
    template="applications.html",
    load=load,
    scopes=READERS,
    streams=(SLA_CHANGES,),
)
APPLY = Act(PATH, apply, back=PATH)
