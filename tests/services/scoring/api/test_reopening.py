"""Ops reopen a lead that a rep has disqualified."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from services.scoring.domain.lead import Stage
from shared.auth.keys import KeyScope
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from tests.builders import NOON, handoff_changed, marketing_event
from tests.services.scoring.api.clients import LeadClient, client_with_key
from tests.services.scoring.conftest import Worker, announced
from tests.services.scoring.handlers.helpers import lead_of

pytestmark = pytest.mark.postgres


@pytest.fixture
def ops(client: TestClient, sessions: Sessions) -> LeadClient:
    """Ada has asked for a demo, was disqualified, and has asked for a demo again."""
    with sessions.begin() as session:
        worker = Worker(session)
        worker.publish()
        worker.take(marketing_event("demo_requested"))
        lead_id = lead_of(worker).id
        worker.follow(handoff_changed(Change.ASSIGNED, lead=lead_id, sequence=1))
        fields: dict[str, Any] = {"rep": None, "then": "disqualify", "reason": "a_student"}
        worker.follow(handoff_changed(Change.REJECTED, lead=lead_id, sequence=2, **fields))
        worker.take(marketing_event("demo_requested"))
        assert len(worker.announced()) == 1
    return client_with_key(client, sessions, KeyScope.OPS, "olga")


def test_a_lead_that_raised_its_hand_meanwhile_qualifies_at_once(
    ops: LeadClient, sessions: Sessions
) -> None:
    ada = ops.get(email="ada@example.com")
    assert (ada["stage"], ada["blocker"]) == ("disqualified", "disqualified: a_student")
    assert ada["disqualified_at"] is not None

    reopened = ops.post(f"/{ada['id']}/reopen")

    assert (reopened["stage"], reopened["blocker"], reopened["disqualified_at"]) == (
        "qualified",
        None,
        None,
    )
    assert reopened["steps"][-1]["cause"] == "reopened:ops/olga"
    with sessions() as session:
        assert [it.qualification for it in announced(session)] == [1, 2]
    assert ops.post(f"/{ada['id']}/reopen") == reopened


def test_a_lead_that_nobody_disqualified_stays_as_it_is(
    client: TestClient, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        worker = Worker(session)
        worker.publish()
        worker.take(marketing_event())
        lead_id = lead_of(worker).id
    ops = client_with_key(client, sessions, KeyScope.OPS)
    before = ops.get(f"/{lead_id}")

    assert ops.post(f"/{lead_id}/reopen") == before
    assert ops.post(f"/{uuid4()}/reopen", status=404)["code"] == "unknown_lead"


def test_a_disqualified_lead_is_stored_as_it_is(sessions: Sessions) -> None:
    with sessions.begin() as session:
        worker = Worker(session)
        worker.publish()
        worker.take(marketing_event("demo_requested"))
        lead_id = lead_of(worker).id
        fields: dict[str, Any] = {
            "rep": None,
            "then": "disqualify",
            "reason": "a_student",
            "at": NOON,
        }
        worker.follow(handoff_changed(Change.REJECTED, lead=lead_id, sequence=2, **fields))
        lead = lead_of(worker)

    assert (lead.stage, lead.disqualified_at) == (Stage.DISQUALIFIED, NOON)
