"""The page of broken promises: those of some days, by what they were about and how they broke."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from services.console.apis import Apis, Service
from services.console.pages.page import Export, Page, Source, View
from services.console.pages.promises import KINDS
from services.console.report.names import REPS, names_of

PATH = "/sla/broken"
BREACHES = "/v1/sla/breaches"
CAUSES: Final[Mapping[str, str | None]] = {
    "All": None,
    "Answered late": "late",
    "Not answered yet": "overdue",
    "Ended without an answer": "cancelled",
}
NARROWED: Final = (
    "kind",
    "team",
    "tier",
    "source",
    "campaign",
    "cause",
    "first_due_on",
    "last_due_on",
)
"""The parameters of the list."""

ROWS = 100


async def load(apis: Apis, view: View) -> Mapping[str, Any]:
    """The list, and the causes that it may be narrowed to."""
    source = source_of(view)
    parts = await apis.parts(
        clocks=apis.get(
            source.service, source.path, **source.query, after=view.query.get("after"), limit=ROWS
        ),
        reps=apis.get(Service.ROUTING, REPS),
    )
    cause = view.query.get("cause") or None
    return {
        "clocks": parts["clocks"],
        "rep_names": names_of(parts["reps"]),
        "kinds": KINDS,
        "causes": {
            title: (view.url(cause=value), value == cause) for title, value in CAUSES.items()
        },
    }


def source_of(view: View) -> Source:
    """The list that the address names."""
    query = {name: view.query.get(name) for name in NARROWED}
    return Source(Service.SLA, BREACHES, {"state": "all", **query})


PAGE = Page(path=PATH, title="Broken promises", template="broken.html", load=load)
EXPORT = Export(f"{PATH}.csv", source_of)
