"""Fixtures of the tests of the SLA monitor's API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from services.sla_monitor.handlers.due_clocks import fire_due_clocks
from services.sla_monitor.main import build_api
from shared.auth.keys import KeyScope
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from tests.services.sla_monitor.api.clients import SlaClient, client_with_key
from tests.services.sla_monitor.builders import (
    TOUCH,
    handle_changes,
    minutes_after_noon,
    numbered,
    policy,
    publish_policies,
    step,
)


@pytest.fixture
def client(sessions: Sessions) -> Iterator[TestClient]:
    """The API an hour and a half after noon."""
    with TestClient(build_api(sessions, time_source=lambda: minutes_after_noon(90))) as client:
        yield client


@pytest.fixture
def ops(client: TestClient, sessions: Sessions) -> SlaClient:
    """At 13:30: Grace answered in time, Linus too late, Ada never; Alan has one more minute."""
    with sessions.begin() as session:
        publish_policies(session, TOUCH, policy("slow", target="2h", warn_at=0.7))
        tiers = {"grace": "standard", "linus": "standard", "ada": "enterprise", "alan": "standard"}
        answers = {"grace": 20, "linus": 70}
        for rep, tier in tiers.items():
            fields: dict[str, Any] = {
                "lead": rep,
                "rep": rep,
                "tier": tier,
                "lead_name": f"{rep}'s lead",
            }
            if rep == "alan":
                fields |= {"assigned_at": minutes_after_noon(31)}
            steps = [step(Change.ASSIGNED, **fields)]
            if rep in answers:
                steps.append(step(Change.CONTACTED, answers[rep], **fields))
            handle_changes(session, *numbered(*steps), minute=80)
        fire_due_clocks(session, now=minutes_after_noon(85))
    return client_with_key(client, sessions, KeyScope.OPS, "ops")
