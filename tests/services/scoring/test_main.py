"""The processes start, do their periodic work, and end when asked to."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from services.scoring.ingest.rejections import keep
from services.scoring.queries.rejections import Body, Rejection
from shared.clock import utc_now
from shared.db.session import Sessions
from tests.engine import PATIENCE_S, until
from tests.processes import running_process

pytestmark = pytest.mark.postgres


def test_the_api_deletes_rejections_that_are_too_old(database_url: str, sessions: Sessions) -> None:
    for days in (6, 8):
        at = utc_now() - timedelta(days=days)
        body = Body.of(b"{}", max_bytes=2)
        keep(sessions, [Rejection("site", f"{days}", at, "bad", "it is bad", "native", body)])

    def kept() -> list[str]:
        with sessions() as session:
            return list(session.scalars(text("select event_id from scoring.rejections")))

    settings = {"DATABASE_URL": database_url, "REJECTIONS_MAX_AGE_DAYS": "7"}
    with running_process("services.scoring", "api", KAFKA_KEEPS_LOG="false", **settings) as url:
        until(lambda: kept() == ["6"])
        assert httpx.get(f"{url}/v1/rejections", timeout=PATIENCE_S).status_code == 401
