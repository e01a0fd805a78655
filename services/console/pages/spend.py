"""The page of what a campaign cost: every version of every period, which is what is behind its cost in the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from services.console.apis import Apis, Service
from services.console.pages.page import READERS, Page, View
from services.console.report.campaigns import SPEND

ROWS: Final = 100


async def load(apis: Apis, view: View) -> Mapping[str, Any]:
    """The periods of the campaign in the address."""
    campaign = view.query.get("campaign", "")
    if not campaign:
        return {"campaign": "", "periods": None}
    part = await apis.parts(
        periods=apis.get(
            Service.ALIGNMENT,
            f"/v1/campaigns/{quote(campaign, safe='')}/spend",
            after=view.query.get("after"),
            limit=ROWS,
        )
    )
    return {"campaign": campaign, "periods": part["periods"]}


PAGE = Page(
    path=SPEND,
    title="What a campaign cost",
    template="spend.html",
    load=load,
    scopes=READERS,
)
