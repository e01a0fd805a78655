"""The console before two reps with a lead each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.db.session import Sessions
from tests.services.console.site import running_console, session_token
from tests.services.console.two_reps import FIELDS, LATER, Installation, add_two_reps


@pytest.fixture(scope="module")
def installation(module_sessions: Sessions) -> Iterator[Installation]:
    """An hour and a half after noon: both promises are broken; ops have planned a re-route and saved a view."""
    holdings = add_two_reps(module_sessions)
    with running_console(module_sessions, now=LATER) as console:
        with console.visit() as client:
            token = session_token(client)
            planned = client.post("/reroutes", data={"token": token, "rep": "linus"})
            client.post("/handoffs/views", data={"token": token, **FIELDS})
        reroutes = {"reroutes": planned.headers["location"].rpartition("/")[2]}
        own, others = (
            replace(it, ids={**it.ids, **reroutes}) for it in (holdings["amira"], holdings["linus"])
        )
        yield Installation(console, own, others)
