"""What is behind a promise of capacity: a page of the days of teams, reached from the report."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from shared.agreement.store import publish
from shared.db.session import Sessions
from tests.builders import DEFAULT_SECTIONS, NOON, minutes
from tests.services.alignment.capacity import BEGIN, EMEA, ROUTING, plan, read
from tests.services.console.site import RunningConsole, running_console
from tests.services.console.test_alignment import page_of, text_of

pytestmark = pytest.mark.postgres

ROOM: dict[str, Any] = {"measure": "capacity", "per": "month", "at_least": 50}
SALES = [
    {"id": "room", "where": 'team == "emea"', **ROOM},
    {"id": "room_for_all", **ROOM},
]


@pytest.fixture(scope="module")
def console(module_sessions: Sessions) -> Iterator[RunningConsole]:
    """The console where team emea can take three leads a day, and team inbound has a rep without a limit."""
    source = json.dumps({**DEFAULT_SECTIONS, "routing": ROUTING, "promises": {"sales": SALES}})
    with module_sessions.begin() as session:
        publish(session, source, by="test", now=BEGIN)
        read(session, plan("emea", EMEA), plan("inbound", unlimited=1))
    with running_console(module_sessions, now=NOON + minutes(90)) as console:
        yield console


def test_the_promise_opens_the_days_of_its_teams(console: RunningConsole) -> None:
    page = page_of(console, "/alignment")
    text = text_of(page)

    assert "room: leads that the roster can take, where team" in text
    assert "at least 50 50 90 30 on track" in text
    assert "at least 50 50 at least 390 60 on track: reps without a limit a day" in text
    links = re.findall(r'href="(/alignment/capacity\?[^"]*)"', page.text)
    emea, everybody = (html.unescape(it) for it in dict.fromkeys(links))
    with console.visit() as client:
        of_emea, of_all = client.get(emea), client.get(everybody)
    assert (of_emea.status_code, of_emea.text.count("<tr><td>2026-11-")) == (200, 30)
    assert "2026-11-30 emea 3 1 0" in text_of(of_emea)
    assert "No lead is behind what the roster can take" in text_of(of_emea)
    assert of_all.text.count("<tr><td>2026-11-") == 60
    assert "2026-11-01 inbound 10 1 1" in text_of(of_all)


def test_the_page_has_this_month_by_itself_and_later_pages(console: RunningConsole) -> None:
    month = page_of(console, "/alignment/capacity", team="emea")
    quarter = page_of(console, "/alignment/capacity", since="2026-11-01", until="2027-02-08")

    assert month.text.count("<tr><td>2026-11-") == 30
    assert 'rel="next"' not in month.text
    assert quarter.text.count("<tr><td>20") == 100
    [later] = re.findall(r'href="(/alignment/capacity\?[^"]*)" rel="next"', quarter.text)
    with console.visit() as client:
        last = client.get(html.unescape(later))
    assert last.text.count("<tr><td>20") == 100
    assert "2027-02-08 inbound" in text_of(last)


def test_the_days_as_csv(console: RunningConsole) -> None:
    file = page_of(console, "/alignment/capacity.csv", team="emea", period="2026-11")

    assert file.text.splitlines()[:2] == ["on,team,reps,leads,unlimited", "2026-11-01,emea,1,3,0"]


def test_dates_of_which_nothing_is_known_say_what_announces_them(console: RunningConsole) -> None:
    page = page_of(console, "/alignment/capacity", period="2025-01")

    assert "Routing has announced nothing of these dates." in text_of(page)
    assert "leadbaton reps import FILE" in text_of(page)
