"""The events of a lead, over HTTP."""

from __future__ import annotations

import pytest

from tests.services.scoring.api.clients import LeadClient

pytestmark = pytest.mark.postgres


def test_the_events_of_a_lead_come_in_pages_the_latest_first(ops: LeadClient) -> None:
    lead_id = ops.get(email="ada@example.com")["id"]

    first = ops.get(f"/{lead_id}/events", limit=3)
    rest = ops.get(f"/{lead_id}/events", limit=3, after=first["next"])

    items = [*first["items"], *rest["items"]]
    assert [it["type"] for it in items] == ["form_submitted", *["page_viewed"] * 4]
    assert [part["points"] for part in items[0]["points"]] == [30.0]
    assert rest["next"] is None


def test_a_strange_cursor_is_refused(ops: LeadClient) -> None:
    lead_id = ops.get(email="ada@example.com")["id"]

    assert ops.get(f"/{lead_id}/events", 400, after="?")["code"] == "bad_cursor"
