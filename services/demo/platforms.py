"""Two marketing platforms that send activities: a site with Segment's own client, a mailing tool with batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
from segment.analytics.client import Client

from services.demo.activities import IDENTIFIED, Activity

MAX_ATTEMPTS = 8


class Website:
    """The site's events, through the unmodified Segment client, which queues, batches and retries by itself."""

    def __init__(self, url: str, key: str) -> None:
        self.failed = 0
        self.client = Client(
            key, host=url, gzip=True, upload_size=40, upload_interval=0.3, on_error=self._count
        )

    def send(self, activities: Sequence[Activity]) -> None:
        """Queue the activities. Every fiftieth is queued twice, as a page that is submitted twice does."""
        for activity in activities:
            for _ in range(2 if activity.id.endswith(("00", "50")) else 1):
                self._send(activity)

    def close(self) -> None:
        """Wait until everything is sent."""
        self.client.shutdown()

    def _send(self, activity: Activity) -> None:
        common: dict[str, Any] = {
            "anonymous_id": activity.person.anonymous_id,
            "timestamp": activity.at,
            "message_id": activity.id,
            "context": context_of(activity),
        }
        if activity.type == IDENTIFIED:
            self.client.identify(
                traits={"email": activity.person.email, **activity.person.traits}, **common
            )
        elif activity.type == "page_viewed":
            self.client.page(
                name=activity.properties["title"], properties=activity.properties, **common
            )
        else:
            self.client.track(
                event=segment_name(activity.type), properties=activity.properties, **common
            )

    def _count(self, _: Exception, batch: Sequence[object]) -> None:
        self.failed += len(batch)


class Mailings:
    """The mailing tool's events, in native batches; a batch without an answer is sent again, its ids unchanged."""

    def __init__(self, url: str, key: str) -> None:
        self.failed = 0
        self.http = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=15
        )

    def send(self, activities: Sequence[Activity]) -> None:
        """Post the batch until it is answered; then post the events whose result is `retry` again."""
        batch = [native(activity) for activity in activities]
        batch += [without_address(activity) for activity in activities if activity.id.endswith("5")]
        for _ in range(MAX_ATTEMPTS):
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


def native(activity: Activity) -> dict[str, Any]:
    """The event in Leadbaton's own format."""
    return {
        "id": activity.id,
        "type": activity.type,
        "time": activity.at.isoformat(),
        "lead": {"email": activity.person.email},
        "properties": activity.properties,
    }


def without_address(activity: Activity) -> dict[str, Any]:
    """The event of a contact without an address, which is refused; the other events of its batch are not."""
    return native(activity) | {"id": f"{activity.id}-nobody", "lead": {"email": "null"}}


def segment_name(type_: str) -> str:
    """The event's name as sites send it with Segment's client: `Demo Requested`."""
    return type_.replace("_", " ").title()


def context_of(activity: Activity) -> dict[str, Any]:
    """The context that the site's script adds: browser, page, campaign."""
    context: dict[str, Any] = {"userAgent": activity.person.browser}
    if activity.type == "page_viewed":
        context["page"] = activity.properties
    if activity.campaign:
        campaign = activity.campaign
        context["campaign"] = {
            "source": campaign.source,
            "medium": campaign.medium,
            "name": campaign.name,
        }
    return context
