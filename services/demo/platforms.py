"""Two marketing platforms that tell what people did: a site with Segment's own client, a mailing tool with batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
from segment.analytics.client import Client

from services.demo.stream import IDENTIFIED, Act

TRIES = 8


class Website:
    """The site's events, through the unmodified Segment client, which queues, batches and retries by itself."""

    def __init__(self, url: str, key: str) -> None:
        self.failed = 0
        self.client = Client(
            key, host=url, gzip=True, upload_size=40, upload_interval=0.3, on_error=self._count
        )

    def send(self, acts: Sequence[Act]) -> None:
        """Queue them. Every fiftieth is queued twice, as a page that is submitted twice does."""
        for act in acts:
            for _ in range(2 if act.id.endswith(("00", "50")) else 1):
                self._say(act)

    def close(self) -> None:
        """Wait until all is sent."""
        self.client.shutdown()

    def _say(self, act: Act) -> None:
        common: dict[str, Any] = {
            "anonymous_id": act.who.anonymous_id,
            "timestamp": act.at,
            "message_id": act.id,
            "context": context_of(act),
        }
        if act.type == IDENTIFIED:
            self.client.identify(traits={"email": act.who.email, **act.who.traits}, **common)
        elif act.type == "page_viewed":
            self.client.page(name=act.properties["title"], properties=act.properties, **common)
        else:
            self.client.track(event=named(act.type), properties=act.properties, **common)

    def _count(self, _: Exception, batch: Sequence[object]) -> None:
        self.failed += len(batch)


class Mailings:
    """The mailing tool's events, in native batches; what got no answer is sent again, ids unchanged."""

    def __init__(self, url: str, key: str) -> None:
        self.failed = 0
        self.http = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=15
        )

    def send(self, acts: Sequence[Act]) -> None:
        """Post the batch until it is answered; then again only the events that shall be tried again."""
        batch = [native(act) for act in acts]
        batch += [nobodys(act) for act in acts if act.id.endswith("5")]
        for _ in range(TRIES):
            if not batch:
                return
            batch = self._unanswered(batch)
        self.failed += len(batch)

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def _unanswered(self, batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
        try:
            answer = self.http.post("/v1/events", json={"events": batch})
        except httpx.TransportError:
            return batch
        if answer.status_code != 200:
            return batch
        results = answer.json()["results"]
        return [it for it in batch if results[it["id"]]["status"] == "retry"]


def native(act: Act) -> dict[str, Any]:
    """The event in Leadbaton's own format."""
    return {
        "id": act.id,
        "type": act.type,
        "time": act.at.isoformat(),
        "lead": {"email": act.who.email},
        "properties": act.properties,
    }


def nobodys(act: Act) -> dict[str, Any]:
    """What an export makes of a contact without an address; it is refused, and its neighbours are not."""
    return native(act) | {"id": f"{act.id}-nobody", "lead": {"email": "null"}}


def named(type_: str) -> str:
    """The event as sites name it for Segment: `Demo Requested`."""
    return type_.replace("_", " ").title()


def context_of(act: Act) -> dict[str, Any]:
    """What the site's script adds by itself: browser, page, campaign."""
    context: dict[str, Any] = {"userAgent": act.who.browser}
    if act.type == "page_viewed":
        context["page"] = act.properties
    if act.campaign:
        it = act.campaign
        context["campaign"] = {"source": it.source, "medium": it.medium, "name": it.name}
    return context
