"""What the page of a handoff shows of the steps of its ladder, and how ops take it from the pool."""

from __future__ import annotations

import pytest

from services.routing.domain.handoff import handoff_id
from services.routing.handlers import on_sla_changed, tick
from shared.contracts.payloads import ClockChange
from shared.db.session import Sessions
from tests.builders import NOON, an_id, lead_qualified, sla_changed, sla_message
from tests.services.console.site import running_console
from tests.services.console.test_handoffs import follow, send
from tests.services.routing.builders import build_assigner, entry, importing, qualifying

pytestmark = pytest.mark.postgres

HANDOFF = handoff_id(an_id("ada"), 1)
PAGE = f"/handoffs/{HANDOFF}"


def test_a_handoff_in_the_pool_says_why_and_ops_assign_it(sessions: Sessions) -> None:
    step = sla_changed(
        ClockChange.ESCALATED, handoff_id=HANDOFF, rep="amira", step="return_to_pool"
    )
    with sessions.begin() as session:
        assigner = build_assigner(session)
        importing(session, entry("amira"))
        qualifying(session, assigner, lead_qualified(lead="ada"))
        importing(session, entry("amira"), entry("linus"))
        on_sla_changed(session, [sla_message(step)], NOON, assigner=assigner)
        tick(session, NOON, assigner=assigner)

    with running_console(sessions) as console, console.visit() as client:
        page = client.get(PAGE).text
        assert "in the pool, until ops assign it" in page
        steps = page.split('id="ladder-title"')[1].split("</section>")[0]
        assert "return to pool" in steps
        assert "it is in the pool" in steps
        assert "Amira" in steps
        assert "whom the rules choose" in page

        assigned = follow(client, send(client, f"{PAGE}/reassign", hop="1"))

        assert "in the pool, until" not in assigned
        assert "Linus" in assigned
