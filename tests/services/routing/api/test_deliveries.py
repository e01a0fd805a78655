"""Deliveries over HTTP."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.builders import lead_qualified
from tests.services.routing.builders import build_assigner, entry, importing, qualifying
from tests.services.routing.client import ADA, RoutingClient

pytestmark = pytest.mark.postgres


def test_deliveries_are_listed_and_redelivered(client: RoutingClient) -> None:
    [delivery] = client.get("/deliveries", state="pending", handoff=str(ADA))["items"]
    again = client.post(f"/deliveries/{delivery['id']}/redeliver", by="ops", status=202)

    assert again["id"] == delivery["id"]
    assert again["state"] == "pending"
    assert client.get("/deliveries", state="exhausted")["items"] == []
    page = client.get("/deliveries", limit=1)
    assert page["next"] is None
    unknown = client.post(f"/deliveries/{UUID(int=1)}/redeliver", by="ops", status=404)
    assert unknown["code"] == "unknown_delivery"


def test_deliveries_come_in_pages(client: RoutingClient) -> None:
    with client.sessions.begin() as session:
        importing(session, entry("grace"))
        leads = [lead_qualified(lead=f"l{n}") for n in range(2)]
        qualifying(session, build_assigner(session), *leads)

    first = client.get("/deliveries", limit=2)
    rest = client.get("/deliveries", limit=2, after=first["next"])

    assert (len(first["items"]), len(rest["items"])) == (2, 1)
