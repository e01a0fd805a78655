"""Which clocks a key sees: a rep's key those of the rep's hops, and journeys while the rep has the handoff."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from shared.auth.keys import KeyScope
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from tests.services.sla_monitor.api.clients import SlaClient, client_with_key
from tests.services.sla_monitor.builders import (
    TOUCH,
    handle_changes,
    minutes_after_noon,
    next_rep,
    numbered,
    policy,
    publish_policies,
    step,
)

pytestmark = pytest.mark.postgres


def visible(rep: SlaClient) -> list[tuple[str, str | None]]:
    """A rep's clocks in all lists, each by its policy and what ended it; every one explains itself."""
    lists: list[tuple[str, dict[str, Any]]] = [
        ("clocks", {}),
        ("at-risk", {}),
        ("upcoming", {}),
        ("breaches", {"state": "all"}),
    ]
    items = [it for path, parameters in lists for it in rep.get(path, **parameters)["items"]]
    for item in items:
        rep.get(f"clocks/{item['id']}/explain")
    return sorted({(it["policy"], it["ended_by"]) for it in items})


def test_a_journey_is_visible_to_the_rep_who_has_the_handoff_now(
    client: TestClient, sessions: Sessions
) -> None:
    grace = client_with_key(client, sessions, KeyScope.REP, "grace")
    linus = client_with_key(client, sessions, KeyScope.REP, "linus")
    ops = client_with_key(client, sessions, KeyScope.OPS, "ops")
    steps = numbered(
        step(Change.ASSIGNED),
        step(Change.REJECTED, 10, rep=None),
        step(Change.WAITING, 10, rep=None),
        next_rep(40),
        step(Change.LOST, 80, rep="linus", hop=2, assigned_at=minutes_after_noon(40)),
    )
    with sessions.begin() as session:
        publish_policies(session, TOUCH, policy("trip", scope="journey", anchor="qualified"))
        handle_changes(session, *steps[:1])
    [journey] = ops.get("clocks", scope="journey")["items"]
    assert visible(grace) == [("touch", None), ("trip", None)]

    with sessions.begin() as session:
        handle_changes(session, *steps[1:3], minute=10)
    assert ops.get(f"clocks/{journey['id']}/explain")["rep"] == "grace"  # she held it last
    assert visible(grace) == [("touch", "rejected")]
    refused = grace.get(f"clocks/{journey['id']}/explain", status=404)
    assert refused["code"] == "unknown_clock"
    before = grace.get("clocks"), grace.get("attainment", by="rep")

    with sessions.begin() as session:
        handle_changes(session, *steps[3:], minute=80)
    assert (grace.get("clocks"), grace.get("attainment", by="rep")) == before
    assert visible(linus) == [("touch", "lost"), ("trip", "lost")]
    assert len(ops.get("clocks")["items"]) == 3


def test_a_rep_sees_their_own_only(client: TestClient, sessions: Sessions, ops: SlaClient) -> None:
    ada = client_with_key(client, sessions, KeyScope.REP, "ada")
    linus = client_with_key(client, sessions, KeyScope.REP, "linus")
    [breach] = ops.get("breaches")["items"]
    assert {rep for rep, _ in ada.ids("clocks", rep="grace")} == {"ada"}
    assert ada.get(f"clocks/{breach['id']}/explain")["rep"] == "ada"
    assert linus.get(f"clocks/{breach['id']}/explain", status=404)["code"] == "unknown_clock"
    assert [it["group"] for it in linus.get("attainment", by="rep")["items"]] == ["linus"]


def test_a_key_is_needed(client: TestClient, sessions: Sessions) -> None:
    assert client.get("/v1/sla/breaches").status_code == 401
    wrong = client_with_key(client, sessions, KeyScope.INGEST, "website")
    assert wrong.get("breaches", status=403)["code"] == "wrong_scope"
