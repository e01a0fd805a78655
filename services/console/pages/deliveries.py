"""The page Deliveries: every webhook with its attempts, and the endpoints that webhooks go to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from services.console.apis import Apis, Gap, Service
from services.console.pages.page import (
    HANDOFF_CHANGES,
    READERS,
    Act,
    Export,
    Outcome,
    Page,
    Source,
    View,
    address,
)

PATH = "/deliveries"
FILTERS = ("endpoint", "type", "state", "status", "handoff", "since", "until")
REPLAY_FIELDS = ("endpoint", "since", "until", "type")
TYPES = (
    "handoff.assigned",
    "handoff.withdrawn",
    "handoff.breached",
    "handoff.undelivered",
    "campaign.outcome",
    "endpoint.disabled",
)
FORMATS = ("standard", "slack", "teams")
STATES = ("pending", "delivered", "exhausted", "cancelled")
STATUSES = {
    "2xx": "2xx, a success",
    "3xx": "3xx",
    "4xx": "4xx",
    "5xx": "5xx",
    "none": "no response",
}


async def load(apis: Apis, view: View) -> Mapping[str, Any]:
    """The deliveries that the filters leave, and the endpoints that need somebody."""
    filters = {name: view.query.get(name, "") for name in FILTERS}
    parts = await apis.parts(
        endpoints=apis.get(Service.ROUTING, "/v1/endpoints"),
        deliveries=apis.get(
            Service.ROUTING, "/v1/deliveries", limit=50, after=view.query.get("after"), **filters
        ),
    )
    return {
        **parts,
        "shown_endpoints": _endpoints_to_show(parts["endpoints"], view),
        "filters": filters,
        "query": urlencode(view.query),
        "types": TYPES,
        "states": STATES,
        "formats": FORMATS,
        "statuses": STATUSES,
    }


def _endpoints_to_show(endpoints: Any, view: View) -> list[Any]:
    """Those that hang, fail or are disabled, and the one of the filter; or all, where the URL says so."""
    if isinstance(endpoints, Gap):
        return []
    return [
        it
        for it in endpoints["items"]
        if "all" in view.query or it["state"] != "in_use" or it["id"] == view.query.get("endpoint")
    ]


async def redeliver(apis: Apis, view: View, _: Mapping[str, str]) -> Outcome:
    """Send one webhook again."""
    id = view.values["id"]
    await apis.post(Service.ROUTING, f"/v1/deliveries/{id}/redeliver")
    return Outcome(address(PATH, view.query), "The webhook is sent again, with the same id.")


async def replay(apis: Apis, _: View, fields: Mapping[str, str]) -> Outcome:
    """Count the webhooks of a time, or send them again."""
    only_counts = fields.get("act") != "replay"
    entered = {name: fields.get(name, "").strip() for name in REPLAY_FIELDS}
    chosen = {name: it for name, it in entered.items() if it}
    answer = await apis.post(
        Service.ROUTING, "/v1/deliveries/replay", {**chosen, "dry_run": only_counts}
    )
    count = answer["deliveries"]
    text = f"{count} webhooks {'would be' if only_counts else 'are'} sent again."
    return Outcome(f"{PATH}?{urlencode(chosen)}", text)


async def test(apis: Apis, view: View, _: Mapping[str, str]) -> Outcome:
    """Send a test to an endpoint."""
    id = view.values["id"]
    answer = await apis.post(Service.ROUTING, f"/v1/endpoints/{quote(id)}/test")
    response = answer["status"] if answer["status"] is not None else "no response"
    text = f"{id}: {response} after {answer['took_ms']:.0f} ms. {answer['detail']}"
    return Outcome(address(PATH, view.query), text)


async def save_address(apis: Apis, view: View, fields: Mapping[str, str]) -> Outcome:
    """Save the format of an endpoint, perhaps a new one, and its URL where one is entered; it is not shown again."""
    id = view.values.get("id") or fields.get("id", "").strip()
    url = fields.get("url", "").strip()
    body = {"format": fields.get("format", ""), **({"url": url} if url else {})}
    answer = await apis.put(Service.ROUTING, f"/v1/endpoints/{quote(id)}", body)
    text = f"{id} takes webhooks as {answer['format']}, at {answer['host']}."
    if answer["secret"]:
        text += f" Its secret, shown this once: {answer['secret']}"
    return Outcome(address(PATH, view.query), text)


async def rotate(apis: Apis, view: View, _: Mapping[str, str]) -> Outcome:
    """Give an endpoint a new secret; it is shown once, in the line on what was done."""
    id = view.values["id"]
    answer = await apis.post(Service.ROUTING, f"/v1/endpoints/{quote(id)}/rotate-secret")
    old = "Both sign for 24 hours." if answer["old_secret_until"] else "The old one signs no more."
    return Outcome(
        address(PATH, view.query), f"New secret of {id}, shown this once: {answer['secret']} {old}"
    )


async def rotate_key(apis: Apis, view: View, _: Mapping[str, str]) -> Outcome:
    """Give an endpoint an ed25519 key; its public key is shown in the list too."""
    id = view.values["id"]
    answer = await apis.post(Service.ROUTING, f"/v1/endpoints/{quote(id)}/rotate-key")
    old = " The old key signs for 24 hours more." if answer["old_key_until"] else ""
    return Outcome(address(PATH, view.query), f"Public key of {id}: {answer['public_key']}{old}")


async def enable(apis: Apis, view: View, _: Mapping[str, str]) -> Outcome:
    """Use a disabled endpoint again."""
    id = view.values["id"]
    await apis.post(Service.ROUTING, f"/v1/endpoints/{quote(id)}/enable")
    return Outcome(address(PATH, view.query), f"{id} is in use. Replay what it missed.")


async def delete(apis: Apis, view: View, _: Mapping[str, str]) -> Outcome:
    """Delete an endpoint; what waits for it is cancelled."""
    id = view.values["id"]
    answer = await apis.delete(Service.ROUTING, f"/v1/endpoints/{quote(id)}")
    text = f"{id} is deleted, and {answer['cancelled']} pending webhooks to it are cancelled."
    return Outcome(PATH, text)


def source_of(view: View) -> Source:
    """The deliveries that the filters leave."""
    filters = {name: view.query.get(name) for name in FILTERS}
    return Source(Service.ROUTING, "/v1/deliveries", filters)


PAGE = Page(
    path=PATH,
    title="Deliveries",
    template="deliveries.html",
    load=load,
    scopes=READERS,
    streams=(HANDOFF_CHANGES,),
    key="d",
)
ACTS = (
    Act(f"{PATH}/replay", replay, back=PATH),
    Act(f"{PATH}/{{id}}/redeliver", redeliver, back=PATH),
    Act(f"{PATH}/endpoints/{{id:path}}/test", test, back=PATH),
    Act(f"{PATH}/endpoints", save_address, back=PATH),
    Act(f"{PATH}/endpoints/{{id:path}}/address", save_address, back=PATH),
    Act(f"{PATH}/endpoints/{{id:path}}/rotate", rotate, back=PATH),
    Act(f"{PATH}/endpoints/{{id:path}}/rotate-key", rotate_key, back=PATH),
    Act(f"{PATH}/endpoints/{{id:path}}/enable", enable, back=PATH),
    Act(f"{PATH}/endpoints/{{id:path}}/delete", delete, back=PATH),
)
EXPORTS = (
    Export(f"{PATH}.csv", source_of, scopes=READERS),
    Export(
        f"{PATH}/endpoints.csv",
        lambda _: Source(Service.ROUTING, "/v1/endpoints", {}),
        scopes=READERS,
    ),
)
