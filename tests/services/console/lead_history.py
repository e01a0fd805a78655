"""One lead that went the whole way: events, a qualification, a rep who answered, promises."""

from __future__ import annotations

from uuid import UUID

from shared.contracts.payloads import Change
from shared.db.session import Sessions
from tests.builders import NOON, marketing_event, minutes
from tests.services.routing.builders import announced, build_assigner, entry, importing, qualifying
from tests.services.scoring.conftest import Worker
from tests.services.sla_monitor.builders import handle_changes

TITLE = "<b>Prices</b>"
"""HTML in an event, which pages show as text."""

WISH = "Nobody calls.\n<b>Ever.</b>"
"""What she wrote into the form, in two lines."""

LEAD_CARD = {
    "questions": [{"field": "wish", "label": "Wish"}],
    "consent": {"withdrawn_by": ["gone"]},
}


def add_lead_history(sessions: Sessions) -> UUID:
    """Ines read a page and asked for a demo at noon; Amira has the lead. Returns the lead's id."""
    with sessions.begin() as session:
        assigner = build_assigner(session, lead_card=LEAD_CARD)
        importing(session, entry("amira"))
        worker = Worker(session)
        worker.take(
            marketing_event(
                id="p-1",
                email="ines@tidewater-analytics.com",
                context={"page": {"title": TITLE}},
                traits={"name": "Inês Müller", "company": "Tidewater"},
                time=NOON - minutes(5),
            ),
            marketing_event(
                "demo_requested",
                id="d-1",
                email="ines@tidewater-analytics.com",
                properties={"wish": WISH},
            ),
        )
        [qualified] = worker.announced()
        qualifying(session, assigner, qualified)
        changes = announced(session)
        handle_changes(session, *changes)
        worker.follow(*changes)
        assert changes[-1].change is Change.ASSIGNED
    return qualified.lead_id
