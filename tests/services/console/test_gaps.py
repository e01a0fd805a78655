"""The regions that streams replace, while routing is away: a sentence stands in place of each part."""

from __future__ import annotations

import asyncio
from zoneinfo import ZoneInfo

import pytest

from services.console.apis import Connections, Service
from services.console.pages import agreement, deliveries, now, reps
from services.console.pages.page import Page, View
from services.console.rendering import Frame, Renderer
from services.console.sessions import Visitor
from tests.builders import NOON

NOWHERE = dict.fromkeys(Service, "http://127.0.0.1:9")
VISITOR = Visitor(key="k", scope="ops", subject="olga", until=0.0, nonce="")


@pytest.mark.parametrize(
    "page", [now.PAGE, deliveries.PAGE, reps.PAGE, agreement.PAGE], ids=lambda it: it.path
)
def test_a_part_whose_service_is_away_is_a_sentence(page: Page) -> None:
    view = View(page.path, {}, {}, VISITOR, NOON, ZoneInfo("UTC"))
    frame = Frame(page.title, page.path, NOON, ZoneInfo("UTC"), scope="ops")

    async def region() -> str:
        values = await page.load(Connections(NOWHERE).apis("k"), view)
        context = {"view": view, "refusal": "", "form": {}, **values}
        return Renderer().fragment(page.template, frame, context)

    html = asyncio.run(region())

    assert "the routing does not answer" in html
