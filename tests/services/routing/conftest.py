"""Routing's API with one lead that a rep holds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from services.routing.main import build_api
from shared.db.session import Sessions
from tests.builders import lead_qualified
from tests.services.routing.answering import NOW, Desk
from tests.services.routing.desks import entry, importing, office, qualifying


@pytest.fixture
def desk(sessions: Sessions) -> Iterator[Desk]:
    """Ada is with Grace since noon; it is ten past."""
    with sessions.begin() as session:
        here = office(session)
        importing(session, entry("grace", capacity={"open": 1}), entry("linus", active=False))
        qualifying(session, here, lead_qualified(lead="ada"))
    with TestClient(build_api(sessions, time_source=lambda: NOW)) as client:
        yield Desk(client, sessions)
