"""Fixtures of the tests of the SLA monitor's API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from services.sla_monitor.main import build_api
from shared.db.session import Sessions
from tests.services.sla_monitor.builders import minutes_after_noon


@pytest.fixture
def client(sessions: Sessions) -> Iterator[TestClient]:
    """The API an hour and a half after noon."""
    with TestClient(build_api(sessions, time_source=lambda: minutes_after_noon(90))) as client:
        yield client
