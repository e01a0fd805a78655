"""What ops see of routing: who waits for a rep, what waits to be told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from services.routing.delivery.gauges import set_gauges
from services.routing.queries.breakers import Failures, Hang, count_failures, open_breakers
from services.routing.queries.claims import ClaimLimits, Lease, claim_deliveries
from shared.agreement.store import Agreements
from shared.db.session import Sessions
from tests.builders import DEFAULT_SECTIONS, NOON, lead_qualified
from tests.services.routing.builders import at, build_assigner, entry, importing, qualifying

pytestmark = pytest.mark.postgres

LATER = NOON + timedelta(seconds=90)


def gauge(name: str, **labels: str) -> float | None:
    """What a scrape would see."""
    return REGISTRY.get_sample_value(f"leadbaton_{name}", labels)


def test_waiting_leads_and_overdue_webhooks_are_counted(sessions: Sessions) -> None:
    with sessions.begin() as session:
        assigner = build_assigner(session)
        importing(session, entry("grace", capacity={"open": 1}))
        leads = [lead_qualified(lead=it, at=NOON) for it in ("ada", "bob", "cyd")]
        qualifying(session, assigner, *leads)

    set_gauges(sessions, lambda: LATER, Agreements())

    assert gauge("routing_waiting", team="sales") == 2
    assert gauge("routing_waiting_oldest_seconds") == 90
    assert gauge("routing_assignable_oldest_seconds") == 90
    assert gauge("delivery_pending") == 1
    assert gauge("delivery_overdue_seconds") == 90
    assert gauge("delivery_disabled_endpoints") == 0


def test_an_attempt_in_flight_is_not_overdue_and_an_assigned_lead_does_not_wait(
    sessions: Sessions,
) -> None:
    with sessions.begin() as session:
        assigner = build_assigner(session)
        importing(session, entry("grace"))
        qualifying(session, assigner, lead_qualified(lead="ada", at=NOON))
        claim_deliveries(
            session, ClaimLimits(9, 9, 9, 9), lease=Lease(timedelta(minutes=5)), now=NOON
        )
        session.execute(text("update routing.endpoints set disabled_at = now()"))

    set_gauges(sessions, lambda: LATER, Agreements())

    assert gauge("routing_waiting", team="sales") is None
    assert gauge("routing_waiting_oldest_seconds") == 0
    assert gauge("routing_assignable_oldest_seconds") == 0
    assert gauge("delivery_pending") == 1
    assert gauge("delivery_overdue_seconds") == 0
    assert gauge("delivery_disabled_endpoints") == 3


def test_webhooks_to_a_hanging_host_are_not_overdue_and_the_host_is_counted(
    sessions: Sessions,
) -> None:
    with sessions.begin() as session:
        assigner = build_assigner(session)
        importing(session, entry("grace"))
        qualifying(session, assigner, lead_qualified(lead="ada", at=NOON))
        open_breakers(
            session,
            [
                Hang("rep/grace", "127.0.0.1:9", host_answers=False),
                Hang("team/none", "quiet.example", host_answers=False),
            ],
            now=NOON,
        )

    set_gauges(sessions, lambda: LATER, Agreements())

    assert gauge("delivery_pending") == 1
    assert gauge("delivery_overdue_seconds") == 0
    assert gauge("delivery_hanging") == 2
    with sessions() as session:
        assert sum(1 for _ in session.execute(text("select from routing.breakers"))) == 4


def test_webhooks_to_a_failing_endpoint_are_not_overdue_and_it_does_not_count_as_hanging(
    sessions: Sessions,
) -> None:
    with sessions.begin() as session:
        assigner = build_assigner(session)
        importing(session, entry("grace"))
        qualifying(session, assigner, lead_qualified(lead="ada", at=NOON))
        count_failures(session, [Failures("rep/grace", 4, NOON)], now=NOON)

    set_gauges(sessions, lambda: LATER, Agreements())
    assert gauge("delivery_overdue_seconds") == 90
    with sessions.begin() as session:
        count_failures(session, [Failures("rep/grace", 1, NOON)], now=NOON)
    set_gauges(sessions, lambda: LATER, Agreements())

    assert gauge("delivery_overdue_seconds") == 0
    assert gauge("delivery_hanging") == 0


def test_a_lead_that_waits_for_working_hours_is_not_counted_as_assignable(
    sessions: Sessions,
) -> None:
    rule = {"id": "everybody", "when": True, "team": "sales", "hours": "open"}
    evening, morning = at(20, 18), at(23, 9, 30)  # from Friday to Monday
    with sessions.begin() as session:
        assigner = build_assigner(session, routing={**DEFAULT_SECTIONS["routing"], "rules": [rule]})
        importing(session, entry("grace", capacity={"open": 1}), now=evening)
        leads = [lead_qualified(lead=it, at=evening) for it in ("ada", "bob")]
        qualifying(session, assigner, *leads, now=evening)

    values = []
    for now in (at(22), morning):
        set_gauges(sessions, partial(datetime.fromtimestamp, now.timestamp(), UTC), Agreements())
        values.append(
            (gauge("routing_waiting", team="sales"), gauge("routing_assignable_oldest_seconds"))
        )
    assert values == [(2, 0), (2, 1800)]
