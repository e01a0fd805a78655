"""Fixtures of the tests of scoring's API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from starlette.testclient import TestClient

from services.scoring.main import build_api
from shared.auth.keys import KeyScope
from shared.contracts.topic import Outgoing
from shared.db.session import Sessions
from tests.builders import NOON, days, marketing_event, minutes
from tests.services.scoring.api.clients import LeadClient, client_with_key
from tests.services.scoring.conftest import Worker


class RefusingPublisher:
    """A publisher for tests that post no events."""

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Fail: nothing is to be published."""
        raise AssertionError(records)


@pytest.fixture
def client(sessions: Sessions) -> Iterator[TestClient]:
    """Scoring's API a week after noon."""
    app = build_api(sessions, publisher=RefusingPublisher(), time_source=lambda: NOON + days(7))
    with TestClient(app) as client:
        yield client


@pytest.fixture
def ops(client: TestClient, sessions: Sessions) -> LeadClient:
    """Ada has read four pages and a form, first as a visitor, then by name."""
    with sessions.begin() as session:
        worker = Worker(session)
        worker.publish()
        worker.take(marketing_event(email=None, anonymous_id="a"))
        worker.take(
            marketing_event(anonymous_id="a", user_id="u", time=NOON + minutes(1)),
            marketing_event(phone="+525512345678", time=NOON + minutes(2)),
            marketing_event(time=NOON + minutes(3)),
            marketing_event(
                "form_submitted", time=NOON + minutes(4), traits={"company_size": "300"}
            ),
        )
    return client_with_key(client, sessions, KeyScope.OPS)
