"""Routing's API with one lead that a rep holds, by test client and over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from services.routing.main import build_api
from shared.db.session import Sessions
from tests.builders import lead_qualified
from tests.services.routing.answer_site import Site, serving_site
from tests.services.routing.builders import build_assigner, entry, importing, qualifying
from tests.services.routing.client import NOW, RoutingClient


@pytest.fixture
def client(sessions: Sessions) -> Iterator[RoutingClient]:
    """Ada is with Grace since noon; it is ten past."""
    with sessions.begin() as session:
        assigner = build_assigner(session)
        importing(session, entry("grace", capacity={"open": 1}), entry("linus", active=False))
        qualifying(session, assigner, lead_qualified(lead="ada"))
    with TestClient(build_api(sessions, time_source=lambda: NOW)) as http_client:
        yield RoutingClient(http_client, sessions)


@pytest.fixture
def site(sessions: Sessions) -> Iterator[Site]:
    """The API while it serves answer pages."""
    with serving_site(sessions) as site:
        yield site
