"""The page Agreement: versions with their texts and differences, what the routing rules did, the check of a draft."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any
from urllib.parse import quote

import httpx

from services.console.apis import Apis, Gap, Refusal, Service
from services.console.pages.page import READERS, Act, Export, Outcome, Page, Source, View

PATH = "/agreement"


async def load(apis: Apis, view: View) -> Mapping[str, Any]:
    """The versions; the text of one, or the difference of two; and the counts of rules."""
    listed = await apis.parts(
        versions=apis.get(
            Service.ROUTING, "/v1/agreement/versions", limit=50, after=view.query.get("after")
        )
    )
    values = {**listed, "text": None, "difference": None, "rules": None}
    versions = listed["versions"]
    if isinstance(versions, Gap) or not versions["items"]:
        return values
    newest = versions["items"][0]["number"]
    before, after = view.query.get("from"), view.query.get("to")
    parts: dict[str, Awaitable[Any]] = {"rules": apis.get(Service.ROUTING, "/v1/agreement/rules")}
    if before and after:
        path = "/v1/agreement/diff"
        parts["difference"] = apis.get(Service.ROUTING, path, **{"from": before, "to": after})
    else:
        number = quote(view.query.get("version") or str(newest), safe="")
        parts["text"] = apis.get(Service.ROUTING, f"/v1/agreement/versions/{number}")
    return values | await apis.parts(**parts)


CHECK_TIMEOUT = httpx.Timeout(40.0, connect=2.0)
"""Longer than the API takes at most, which ends a check after 30 s and says why."""


async def check(apis: Apis, _: View, fields: Mapping[str, str]) -> Outcome:
    """Check a draft; its faults are shown as the reason of a refusal."""
    source = fields.get("source", "").replace("\r\n", "\n")
    checked = await apis.post(
        Service.ROUTING, "/v1/agreement/check", {"source": source}, wait=CHECK_TIMEOUT
    )
    if checked["sound"]:
        return Outcome(PATH, f"The draft is sound: {checked['contents']}.")
    faults = [f"{it['line']}:{it['column']}: {it['message']}" for it in checked["faults"]]
    count = checked["fault_count"]
    title = "The draft has one fault:" if count == 1 else f"The draft has {count} faults:"
    raise Refusal(422, "invalid_agreement", "\n".join([title, *faults]))


PAGE = Page(
    path=PATH,
    title="Agreement",
    template="agreement.html",
    load=load,
    scopes=READERS,
    key="a",
)
ACTS = (Act(f"{PATH}/check", check, back=PATH, scopes=READERS),)
EXPORT = Export(
    f"{PATH}/versions.csv",
    lambda _: Source(Service.ROUTING, "/v1/agreement/versions", {}),
    scopes=READERS,
)
