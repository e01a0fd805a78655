"""Acknowledgements of breaches, over HTTP."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from shared.auth.keys import KeyScope
from shared.contracts.payloads import ClockChange
from shared.db.session import Sessions
from tests.builders import an_id
from tests.services.sla_monitor.api.clients import SlaClient, client_with_key
from tests.services.sla_monitor.builders import announced_changes

pytestmark = pytest.mark.postgres

NOTE = "called the lead myself"


def test_an_acknowledged_breach_says_who_knows_of_it_and_stays_a_breach(
    ops: SlaClient, sessions: Sessions
) -> None:
    [breach] = ops.get("breaches")["items"]
    attainment = ops.get("attainment")
    assert breach["acknowledged_at"] is breach["acknowledged_by"] is breach["note"] is None

    answer = ops.post(f"clocks/{breach['id']}/acknowledge", note=NOTE)

    facts = {"acknowledged_at": "2026-11-18T13:30:00Z", "acknowledged_by": "ops/ops", "note": NOTE}
    assert answer == {**breach, **facts}
    assert ops.get("breaches")["items"] == [answer]
    assert ops.get(f"clocks/{breach['id']}/explain").items() >= facts.items()
    assert ops.get("attainment") == attainment
    with sessions() as session:
        [announced] = [
            it for it in announced_changes(session) if it.change is ClockChange.ACKNOWLEDGED
        ]
    assert (str(announced.clock_id), announced.actor, announced.note) == (
        breach["id"],
        "ops/ops",
        NOTE,
    )


def test_the_first_acknowledgement_counts(
    client: TestClient, ops: SlaClient, sessions: Sessions
) -> None:
    [breach] = ops.get("breaches")["items"]
    first = ops.post(f"clocks/{breach['id']}/acknowledge", note=NOTE)
    maria = client_with_key(client, sessions, KeyScope.OPS, "maria")

    second = maria.post(f"clocks/{breach['id']}/acknowledge", note="so did I")

    assert second == first
    with sessions() as session:
        changes = [it.change for it in announced_changes(session)]
    assert changes.count(ClockChange.ACKNOWLEDGED) == 1


def test_lists_are_narrowed_to_what_is_acknowledged(ops: SlaClient) -> None:
    ids = {it["rep"]: it["id"] for it in ops.get("breaches", state="all")["items"]}
    ops.post(f"clocks/{ids['linus']}/acknowledge", note="answered too late, talked to Linus")

    assert ops.ids("breaches", state="all", acknowledged=True) == [("linus", "touch")]
    assert ops.ids("breaches", state="all", acknowledged=False) == [("ada", "touch")]
    assert ops.ids("clocks", acknowledged=True) == [("linus", "touch")]
    assert len(ops.ids("clocks", acknowledged=False)) == 7


def test_only_a_breach_is_acknowledged(ops: SlaClient) -> None:
    [met, *_] = ops.get("clocks", state="met")["items"]
    at_risk = ops.get("at-risk")["items"][0]

    for clock in (met, at_risk):
        problem = ops.post(f"clocks/{clock['id']}/acknowledge", status=409, note=NOTE)
        assert problem["code"] == "not_breached"
        assert clock["policy"] in problem["message"]
    unknown = ops.post(f"clocks/{an_id('none')}/acknowledge", status=404, note=NOTE)
    assert unknown["code"] == "unknown_clock"


@pytest.mark.parametrize("note", ["", "x" * 501, None], ids=["empty", "long", "none"])
def test_a_note_has_1_to_500_characters(ops: SlaClient, note: str | None) -> None:
    [breach] = ops.get("breaches")["items"]
    body = {} if note is None else {"note": note}
    problem = ops.post(f"clocks/{breach['id']}/acknowledge", status=422, **body)
    assert problem["code"] == "invalid_request"


def test_a_rep_cannot_acknowledge(client: TestClient, ops: SlaClient, sessions: Sessions) -> None:
    [breach] = ops.get("breaches")["items"]
    for scope, subject in ((KeyScope.REP, "ada"), (KeyScope.READ, "board")):
        reader = client_with_key(client, sessions, scope, subject)
        refused = reader.post(f"clocks/{breach['id']}/acknowledge", status=403, note=NOTE)
        assert refused["code"] == "wrong_scope"
