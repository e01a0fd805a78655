"""The page of what is behind a cost: the amounts of a report's days, or all versions of one campaign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from services.console.apis import Apis, Service
from services.console.pages.page import READERS, Export, Page, Source, View
from services.console.report.campaigns import SPEND

PARTS: Final = "/v1/spend"
PERIOD: Final = ("period", "since", "until")
ROWS: Final = 100


async def load(apis: Apis, view: View) -> Mapping[str, Any]:
    """The list that the address names; none where it names neither a campaign nor days."""
    source = source_of(view)
    values = {"campaign": view.query.get("campaign", ""), "of_report": source.path == PARTS}
    if source.path == PARTS and not any(source.query.values()):
        return {**values, "periods": None}
    call = apis.get(
        source.service, source.path, **source.query, after=view.query.get("after"), limit=ROWS
    )
    return {**values, **await apis.parts(periods=call)}


def source_of(view: View) -> Source:
    """The amounts of the days in the address, or all versions of a campaign where there are no days."""
    days = {name: view.query[name] for name in PERIOD if view.query.get(name)}
    campaign = view.query.get("campaign")
    if campaign and not days:
        path = f"/v1/campaigns/{quote(campaign, safe='')}/spend"
        return Source(Service.ALIGNMENT, path, {})
    return Source(Service.ALIGNMENT, PARTS, {**days, "campaign": campaign})


PAGE = Page(
    path=SPEND,
    title="What campaigns cost",
    template="spend.html",
    load=load,
    scopes=READERS,
)
EXPORT = Export(f"{SPEND}.csv", source_of, scopes=READERS)
