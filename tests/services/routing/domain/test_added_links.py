"""Links that are added to a notification leave the rest of it as it was."""

from __future__ import annotations

import orjson

from services.routing.domain import notifications
from services.routing.domain.added_links import read_notification
from services.routing.domain.notification_body import MAX_BYTES, body
from shared.contracts.payloads import LeadContext
from tests.builders import NOON, lead_qualified
from tests.services.routing.builders import URL, handoff
from tests.services.routing.domain.test_notifications import due

LINK = {"answer": "https://leads.example.com/a/" + "x" * 100}


def test_nothing_changes_but_the_links() -> None:
    body = notifications.assignment(handoff(), due(handoff()), public_url=URL).body

    linked = orjson.loads(read_notification(body).with_links(LINK))

    before = orjson.loads(body)
    assert linked["data"].pop("links") == {**before["data"].pop("links"), **LINK}
    assert linked == before
    assert (read_notification(body).rep, read_notification(body).timestamp) == ("grace", NOON)


def test_a_notification_without_links_gets_some() -> None:
    encoded = body("handoff.breached", {"handoff": {"id": 1}}, at=NOON)

    assert orjson.loads(read_notification(encoded).with_links(LINK))["data"]["links"] == LINK
    assert read_notification(encoded).rep is None
    assert read_notification(body("x", {}, at=NOON)).rep is None


def test_with_its_links_a_notification_is_still_small_enough() -> None:
    for size in range(18_000, 20_000, 50):
        context = LeadContext(email="ada@example.com", traits={"about": "x" * size})
        big = handoff()._replace(lead=lead_qualified(context=context))
        encoded = notifications.assignment(big, due(big), public_url=URL).body

        linked = read_notification(encoded).with_links(LINK)

        assert len(linked) < MAX_BYTES
        assert orjson.loads(linked)["data"]["links"]["answer"] == LINK["answer"]
