"""The page of broken promises: by due date and by how they broke."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from services.console.apis import Service
from services.sla_monitor.handlers.due_clocks import fire_due_clocks
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from tests.builders import NOON, minutes
from tests.services.console.site import RunningConsole, running_console
from tests.services.sla_monitor.builders import (
    TOUCH,
    handle_changes,
    minutes_after_noon,
    numbered,
    publish_policies,
    step,
)

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def console(module_sessions: Sessions) -> Iterator[RunningConsole]:
    """At 13:30 of 18 November: Linus answered too late, Ada never."""
    with module_sessions.begin() as session:
        publish_policies(session, TOUCH)
        for rep in ("linus", "ada"):
            lead: dict[str, Any] = {"lead": rep, "rep": rep, "lead_name": f"<b>{rep}'s</b> lead"}
            steps = [step(Change.ASSIGNED, **lead)]
            steps += [step(Change.CONTACTED, 70, **lead)] if rep == "linus" else []
            handle_changes(session, *numbered(*steps), minute=80)
        fire_due_clocks(session, now=minutes_after_noon(85))
    with running_console(module_sessions, now=NOON + minutes(90)) as console:
        yield console


def page_of(console: RunningConsole, **query: str) -> httpx.Response:
    """The page as ops see it."""
    with console.visit() as client:
        page = client.get("/sla/broken", params=query)
    assert page.status_code == 200
    return page


def rows_of(console: RunningConsole, **query: str) -> int:
    return page_of(console, **query).text.count('<tr id="clock-')


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ({}, 2),
        ({"cause": "late"}, 1),
        ({"cause": "overdue"}, 1),
        ({"cause": "cancelled"}, 0),
        ({"first_due_on": "2026-11-18", "last_due_on": "2026-11-18"}, 2),
        ({"first_due_on": "2026-11-19"}, 0),
        ({"kind": "accept"}, 0),
    ],
    ids=str,
)
def test_broken_promises_are_narrowed(
    console: RunningConsole, query: dict[str, str], rows: int
) -> None:
    assert rows_of(console, **query) == rows


def test_causes_keep_the_rest_of_the_address(console: RunningConsole) -> None:
    page = page_of(console, kind="first_touch", cause="late")

    assert 'href="/sla/broken?kind=first_touch&amp;cause=overdue"' in page.text
    assert '<input type="hidden" name="cause" value="late">' in page.text
    assert "&lt;b&gt;linus" in page.text
    assert "<b>linus" not in page.text


def test_the_agenda_counts_as_many_as_its_numbers_open(console: RunningConsole) -> None:
    with console.visit() as client:
        agenda = client.get("/alignment/agenda?period=2026-W47")
        csv = client.get(
            "/sla/broken.csv?cause=late&first_due_on=2026-11-16&last_due_on=2026-11-22"
        )

    address = "/sla/broken?kind=first_touch&amp;first_due_on=2026-11-16&amp;last_due_on=2026-11-22"
    for cause in ("late", "overdue"):
        assert f'<a href="{address}&amp;cause={cause}">1</a>' in agenda.text
    assert len(csv.text.splitlines()) == 2


def test_the_page_says_that_the_monitor_is_away(sessions: Sessions) -> None:
    with running_console(sessions, away=Service.SLA) as console:
        assert "the SLA monitor does not answer" in page_of(console).text
