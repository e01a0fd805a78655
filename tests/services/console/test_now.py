"""The page Now, and what a page shows while a service is away."""

from __future__ import annotations

import pytest

from services.console.apis import Service
from shared.db.session import Sessions
from tests.services.console.site import running_console

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("scope", ["ops", "read", "rep"])
def test_an_empty_installation_says_so(sessions: Sessions, scope: str) -> None:
    with running_console(sessions) as console, console.visit(scope) as client:
        page = client.get("/")
        assert page.status_code == 200
        assert "No promise is broken." in page.text
        assert "No lead waits for a rep." in page.text


def test_a_service_that_is_away_leaves_a_sentence_in_its_place(sessions: Sessions) -> None:
    with running_console(sessions, away=Service.SLA) as console, console.visit() as client:
        page = client.get("/")
        assert page.status_code == 200
        assert "the SLA monitor does not answer" in page.text
        assert "No lead waits for a rep." in page.text
