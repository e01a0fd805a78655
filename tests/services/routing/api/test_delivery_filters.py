"""The list of deliveries over all endpoints, narrowed by what ops look for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import insert, text, update

from services.routing.domain.endpoints import TooManyDeliveries
from services.routing.handlers.replays import replay
from services.routing.queries.deliveries import ReplayRange
from services.routing.queries.delivery_lists import DeliveryFilter, list_deliveries, scan_end
from services.routing.tables import attempts, deliveries
from shared.db.session import Sessions
from tests.builders import NOON, an_id
from tests.services.routing.client import RoutingClient

pytestmark = pytest.mark.postgres


def add_delivery(
    sessions: Sessions,
    name: str,
    *,
    statuses: tuple[int | None, ...] = (),
    after: timedelta = timedelta(0),
    **fields: Any,
) -> None:
    """A delivery with an attempt for each status; None is an attempt without a response."""
    row = {
        "id": an_id(name),
        "endpoint": "rep/linus",
        "handoff_id": an_id(f"handoff of {name}"),
        "hop": 1,
        "type": "handoff.breached",
        "body": b"{}",
        "state": "delivered",
        "attempt_count": len(statuses),
        "next_attempt_at": NOON,
        "created_at": NOON + after,
        **fields,
    }
    made = [
        {"delivery_id": row["id"], "number": number, "at": NOON, "took_ms": 9, "status": status,
         "detail": "x"}
        for number, status in enumerate(statuses, start=1)
    ]  # fmt: skip
    with sessions.begin() as session:
        session.execute(insert(deliveries).values(row))
        if made:
            session.execute(insert(attempts), made)


KNOWN = {str(an_id(it)): it for it in ("ok", "moved", "refused", "failed", "silent", "new")}


def listed(client: RoutingClient, **query: str) -> list[str]:
    """The names of the deliveries on the first page."""
    page = client.get(f"/deliveries?{urlencode(query)}")
    return [KNOWN.get(it["id"], "ada's") for it in page["items"]]


@pytest.fixture
def several(client: RoutingClient) -> RoutingClient:
    """Beside the assignment of Ada: one delivery of each fate."""
    add_delivery(client.sessions, "ok", statuses=(500, 204), endpoint="ops")
    add_delivery(client.sessions, "moved", statuses=(301,), state="pending")
    add_delivery(client.sessions, "refused", statuses=(404,), state="exhausted")
    add_delivery(client.sessions, "failed", statuses=(None, 503), after=timedelta(hours=1))
    add_delivery(client.sessions, "silent", statuses=(200, None), state="exhausted")
    add_delivery(client.sessions, "new", state="cancelled", attempt_count=1)
    return client


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["failed", "new", "silent", "refused", "moved", "ok", "ada's"]),
        ({"endpoint": "ops"}, ["ok"]),
        ({"type": "handoff.assigned"}, ["ada's"]),
        ({"type": "handoff.breached", "endpoint": "rep/grace"}, []),
        ({"state": "exhausted"}, ["silent", "refused"]),
        ({"state": "cancelled"}, ["new"]),
        ({"status": "2xx"}, ["ok"]),
        ({"status": "3xx"}, ["moved"]),
        ({"status": "4xx"}, ["refused"]),
        ({"status": "5xx"}, ["failed"]),
        ({"status": "none"}, ["silent"]),
        ({"status": "5xx", "until": "2026-11-18T12:30:00Z"}, []),
        ({"since": "2026-11-18T12:30:00Z"}, ["failed"]),
        ({"handoff": str(an_id("handoff of moved"))}, ["moved"]),
    ],
    ids=str,
)
def test_deliveries_are_narrowed_by(
    several: RoutingClient, query: dict[str, str], expected: list[str]
) -> None:
    assert listed(several, **query) == expected


def test_a_search_without_an_index_says_where_it_stopped(several: RoutingClient) -> None:
    search = DeliveryFilter(status="2xx")
    with several.sessions() as session:
        stops = [
            scan_end(session, it, before=None, scanned=scanned)
            for it, scanned in ((search, 3), (search, 99), (DeliveryFilter(state="pending"), 1))
        ]
        rest = list_deliveries(session, search, before=stops[0], limit=9)

    assert [it is None for it in stops] == [False, True, True]
    assert [it.id for it in rest] == [an_id("ok")]


@pytest.mark.parametrize("query", ["endpoint=elsewhere", "type=Assigned", "status=6xx"])
def test_a_filter_that_no_delivery_can_match_is_refused(client: RoutingClient, query: str) -> None:
    assert client.get(f"/deliveries?{query}", status=422)["code"] == "invalid_request"


def test_lists_of_an_endpoint_and_of_what_was_given_up_use_an_index(sessions: Sessions) -> None:
    with sessions.begin() as session:
        session.execute(text("set local enable_seqscan = off"))
        plans = [
            "\n".join(session.scalars(text(f"explain {statement}")))
            for statement in (
                "select id from routing.deliveries where endpoint = 'ops'"
                " order by created_at desc, position desc limit 51",
                "select id from routing.deliveries where state = 'exhausted'"
                " order by created_at desc, position desc limit 51",
            )
        ]

    assert "ix_deliveries_of_endpoint" in plans[0]
    assert "ix_deliveries_given_up" in plans[1]


def replay_body(**fields: Any) -> dict[str, Any]:
    """A replay of Linus's webhooks of that day."""
    return {"endpoint": "rep/linus", "since": "2026-11-18", "until": "2026-11-18", **fields}


def test_a_replay_starts_what_ended_and_leaves_what_is_pending_or_cancelled(
    several: RoutingClient,
) -> None:
    counted = several.post("/deliveries/replay", replay_body(dry_run=True), by="ops", status=202)
    started = several.post("/deliveries/replay", replay_body(), by="ops", status=202)
    again = several.post("/deliveries/replay", replay_body(), by="ops", status=202)

    assert counted == {"deliveries": 3, "started": 0}
    assert started == {"deliveries": 3, "started": 3}
    assert again == {"deliveries": 0, "started": 0}
    pending = listed(several, state="pending", endpoint="rep/linus")
    assert pending == ["failed", "silent", "refused", "moved"]
    assert listed(several, state="cancelled") == ["new"]


def test_a_replay_is_narrowed_by_type_and_time(several: RoutingClient) -> None:
    for fields, expected in (
        ({"type": "handoff.assigned"}, 0),
        ({"type": "handoff.breached"}, 3),
        ({"since": "2026-11-18T12:30:00Z"}, 1),
        ({"until": "2026-11-18T12:30:00Z"}, 2),
    ):
        body = replay_body(dry_run=True, **fields)
        counted = several.post("/deliveries/replay", body, by="ops", status=202)
        assert counted["deliveries"] == expected


def test_a_replay_that_cannot_be_made_is_refused_with_the_reason(several: RoutingClient) -> None:
    def code(status: int, **fields: Any) -> str:
        body = replay_body(**fields)
        refused = several.post("/deliveries/replay", body, by="ops", status=status)
        return str(refused["code"])

    assert code(404, endpoint="rep/nobody") == "unknown_endpoint"
    assert code(422, endpoint="elsewhere") == "invalid_request"
    assert code(422, since="2026-11-19T00:00:00Z") == "empty_range"
    replay_range = ReplayRange("rep/linus", NOON, NOON + timedelta(days=1))
    with several.sessions.begin() as session:
        with pytest.raises(TooManyDeliveries, match="more than 2"):
            replay(session, replay_range, only_count=True, now=NOON, limit=2)
        session.execute(text("update routing.endpoints set disabled_at = now()"))
    assert code(409) == "endpoint_disabled"


def test_a_replayed_delivery_has_all_attempts_again(several: RoutingClient) -> None:
    several.post("/deliveries/replay", replay_body(), by="ops", status=202)

    with several.sessions.begin() as session:
        row = session.execute(
            update(deliveries)
            .where(deliveries.c.id == an_id("silent"))
            .values(state="pending")
            .returning(deliveries.c.attempts_before, deliveries.c.attempt_count)
        ).one()
    assert (row.attempts_before, row.attempt_count) == (2, 2)
