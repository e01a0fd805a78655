"""The page Now: what needs somebody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.console.apis import Apis, Service
from services.console.pages.page import HANDOFF_CHANGES, SLA_CHANGES, Page, View


async def load(apis: Apis, _: View) -> Mapping[str, Any]:
    """Open breaches, and leads that wait for a rep."""
    return await apis.parts(
        breaches=apis.get(Service.SLA, "/v1/sla/breaches", limit=20),
        waiting=apis.get(Service.ROUTING, "/v1/handoffs", state="waiting", limit=20),
    )


PAGE = Page(
    path="/",
    title="Now",
    template="now.html",
    load=load,
    streams=(SLA_CHANGES, HANDOFF_CHANGES),
    key="n",
)
