"""Claims read deliveries by indexes alone, however many wait, and leave alone what was cancelled."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.routing.delivery.dispatcher import claim
from services.routing.domain.attempts import SCHEDULE
from services.routing.queries import deliveries, delivery_lists, endpoints
from services.routing.queries.claims import (
    _DUE,
    _TAKE,
    ClaimLimits,
    Lease,
    due_deliveries,
    take_deliveries,
)
from shared.db.session import Sessions
from tests.services.routing.builders import announced_changes
from tests.services.routing.delivery.post import GRACE, Post
from tests.services.routing.delivery.receiver import Reply, receiving

pytestmark = pytest.mark.postgres

LIMITS = ClaimLimits(64, 48, endpoint_limit=4, host_limit=32)
MANY = text("""
    insert into routing.deliveries
        (id, endpoint, handoff_id, hop, type, body, state, attempt_count, next_attempt_at)
    select gen_random_uuid(), 'rep/' || number % 10, gen_random_uuid(), 1, 'handoff.assigned', '',
        'pending', number / 10 % 3, now() - interval '1 hour'
    from generate_series(1, 30000) as number
""")
ENDPOINTS = text("""
    insert into routing.endpoints (id, url, host, format, secret)
    select 'rep/' || number, '', 'crm-' || number || '.example', 'standard', ''
    from generate_series(0, 9) as number
""")


@pytest.fixture
def post(sessions: Sessions) -> Iterator[Post]:
    with receiving() as receiver:
        yield Post(sessions, receiver)


def scans(plan: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each scan of the plan: its kind, and the table."""
    if "Relation Name" in plan:
        yield plan["Node Type"], plan["Relation Name"]
    for part in plan.get("Plans", ()):
        yield from scans(part)


def scans_of_deliveries(session: Session, statement: str, arguments: dict[str, Any]) -> set[str]:
    """How the statement reads the deliveries."""
    plan = session.scalar(text(f"explain (format json) {statement}"), arguments)
    parsed = orjson.loads(orjson.dumps(plan))[0]["Plan"]
    return {kind for kind, table in scans(parsed) if table == "deliveries"} - {"ModifyTable"}


def test_a_claim_among_many_pending_deliveries_uses_indexes_alone(post: Post) -> None:
    with post.sessions.begin() as session:
        session.execute(ENDPOINTS)
        session.execute(MANY)
        session.execute(text("analyze routing.deliveries"))
        session.execute(text("analyze routing.endpoints"))
        now = post.now()
        due = due_deliveries(session, LIMITS, now=now)
        limits = {"attempts": 64, "retries": 48, "endpoint_limit": 4, "host_limit": 32}
        of_due = scans_of_deliveries(session, _DUE.text, {"now": now, **limits})
        take = {
            "ids": [it.id for it in due],
            "now": now,
            "ends": now + timedelta(seconds=30),
            "worker": None,
            "pauses": list(SCHEDULE),
        }
        of_take = scans_of_deliveries(session, _TAKE.text, take)

    assert len(due) == 40
    assert of_due | of_take <= {"Index Scan", "Index Only Scan", "Bitmap Heap Scan"}


def test_what_is_cancelled_between_the_two_steps_of_a_claim_is_not_claimed(post: Post) -> None:
    post.assign()
    with post.sessions.begin() as session:
        due = due_deliveries(session, LIMITS, now=post.now())
    with post.sessions.begin() as session:
        deliveries.cancel_for_endpoints(session, ["rep/grace"], now=post.now())
    with post.sessions.begin() as session:
        lease = Lease(timedelta(seconds=30))
        claimed = take_deliveries(session, due, lease=lease, now=post.now())

    assert (len(due), claimed) == (1, [])


@pytest.mark.parametrize("status", [204, 410, 500])
def test_a_webhook_that_is_cancelled_while_it_is_sent_stays_cancelled(
    post: Post, status: int
) -> None:
    hold = threading.Event()
    post.receiver.reply(GRACE, Reply(status, hold=hold))
    post.assign()

    def delete_endpoint() -> None:
        post.receiver.wait(lambda got: len(got) == 1)
        with post.sessions.begin() as session:
            endpoints.delete_endpoint(session, "rep/grace")
            deliveries.cancel_for_endpoints(session, ["rep/grace"], now=post.now())
        hold.set()

    thread = threading.Thread(target=delete_endpoint)
    thread.start()
    post.run(until=1)
    thread.join()

    assert post.states() == [("rep/grace", "handoff.assigned", "cancelled")]
    assert claim(post.dispatcher, 9) == []
    with post.sessions() as session:
        assert announced_changes(session) == [("assigned", "grace")]
        [delivery] = delivery_lists.list_deliveries(session, limit=9)
    assert [it.status for it in delivery.attempts] == [status]
