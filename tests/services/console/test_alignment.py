"""The pages of alignment: the funnel, what wins are credited to, and the leads behind each figure."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from services.console.apis import Service
from services.console.report.funnel import GROUPS
from services.console.report.sections import NONE
from shared.agreement.store import publish
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from tests.builders import DEFAULT_SECTIONS, NOON, an_id, days, minutes
from tests.services.alignment.builders import (
    lead_known,
    lead_touched,
    numbered,
    qualified,
    read,
    step,
)
from tests.services.console.site import RunningConsole, running_console

pytestmark = pytest.mark.postgres

EVIL = "<script>alert(1)</script>" + "x" * 175
"""A campaign of 200 characters, which are HTML."""

PROMISED = {
    "promises": {
        "marketing": [{"id": "mqls", "measure": "qualified", "per": "week", "at_least": 40}],
        "sales": [{"id": "answers", "measure": "acceptance_rate", "at_least": 0.7}],
    }
}
HUGE = 1_000_000_000.0


@pytest.fixture(scope="module")
def console(module_sessions: Sessions) -> Iterator[RunningConsole]:
    """The console in the week in which Ada was won, Emmy was rejected, and Kurt waits."""
    with module_sessions.begin() as session:
        publish(session, json.dumps({**DEFAULT_SECTIONS, **PROMISED}), by="test", now=NOON)
        won = step(Change.WON, 9, lead="ada", amount=HUGE, currency="EUR")
        read(session, qualified("ada", EVIL), *numbered(step(Change.ASSIGNED, lead="ada"), won))
        rejected = step(Change.REJECTED, 9, lead="emmy", reason="not_<b>_ready")
        read(session, qualified("emmy"), *numbered(step(Change.ASSIGNED, lead="emmy"), rejected))
        read(session, qualified("kurt", None))
        read(session, lead_touched("spring", EVIL, lead="ada"))
        read(session, lead_known("ada", campaign=EVIL, engaged_at=NOON), lead_known("grete"))
    with running_console(module_sessions, now=NOON + minutes(90)) as console:
        yield console


def page_of(console: RunningConsole, path: str, **query: Any) -> httpx.Response:
    """A page of ops."""
    with console.visit() as client:
        return client.get(path, params=query)


def text_of(page: httpx.Response) -> str:
    """The page without its elements, with single blanks."""
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", page.text).split()))


def links_of(page: httpx.Response) -> list[str]:
    """The addresses of the leads behind the page's figures."""
    links = re.findall(r'href="(/alignment/leads\?[^"]*)"', page.text)
    return list(map(html.unescape, links))


def test_the_page_has_funnel_rates_groups_and_attribution_of_this_week(
    console: RunningConsole,
) -> None:
    page = page_of(console, "/alignment", by="campaign")
    text = text_of(page)

    assert page.status_code == 200
    assert "3 leads that qualified 16 Nov to 22 Nov 2026 (days of UTC), agreement version" in text
    assert "Accepted, of those that sales has answered 50" in text
    assert "1 000 000 000 EUR" in text
    assert "no campaign" in text
    assert "1 win 16 Nov to 22 Nov 2026" in text
    assert "W-shaped, first column" in text
    assert f"Known 2 {NONE} Engaged 1 {NONE} Qualified 3 100" in text
    assert "Engaged, of known in the period 50" in text
    assert "<svg" in page.text
    assert "<script>alert" not in page.text


def test_the_promises_of_both_sides_to_date_open_their_leads(console: RunningConsole) -> None:
    page = page_of(console, "/alignment")
    text = text_of(page)

    assert "What marketing promised By agreement version 1." in text
    assert "mqls: qualified leads 16 Nov to 22 Nov 2026 at least 40" in text
    assert "answers: accepted, of those that sales has answered" in text
    assert "at least 70 % 70 % 50 % 2 too few (2)" in text
    assert "not due yet" in page.text
    promised = [it for it in links_of(page) if "promise=" in it]
    with console.visit() as client:
        rows = [client.get(it).text.count('<tr id="lead-') for it in promised]
    assert rows == [3, 3, 1, 2]  # of each its value, and what it is computed from


def test_each_figure_opens_as_many_leads_as_it_counts(console: RunningConsole) -> None:
    page = page_of(console, "/alignment", by="campaign")
    figures = re.findall(r'<a href="(/alignment/leads\?[^"]*)">(\d+)</a>', page.text)

    assert len(figures) >= 8
    with console.visit() as client:
        for address, count in figures:
            leads = client.get(html.unescape(address))
            assert leads.status_code == 200, leads.text
            assert leads.text.count('<tr id="lead-') == int(count), address


def test_leads_are_listed_before_they_qualify(console: RunningConsole) -> None:
    known = page_of(console, "/alignment/leads", period="2026-W47", stage="known")
    csv = page_of(console, "/alignment/leads.csv", period="2026-W47", stage="engaged")

    assert "Those that became so last first." in text_of(known)
    assert f'href="/leads/{an_id("grete")}"' in known.text
    assert csv.text.startswith("lead_id,known_at,engaged_at,")
    of_team = text_of(page_of(console, "/alignment", by="team", team="sales"))
    assert f"Known {NONE} {NONE} Engaged {NONE} {NONE}" in of_team
    assert f"sales {NONE} {NONE} 2" in of_team


def test_a_lead_leads_to_its_story_and_its_handoff(console: RunningConsole) -> None:
    page = page_of(console, "/alignment/leads", period="2026-W47", stage="rejected")

    assert f'href="/leads/{an_id("emmy")}"' in page.text
    assert "rejected: not &lt;b&gt; ready" in page.text or "not &lt;b&gt; ready" in page.text
    assert 'href="/handoffs/' in page.text
    assert 'href="/alignment?period=2026-W47"' in page.text


def test_a_filter_for_what_is_not_known_differs_from_none(console: RunningConsole) -> None:
    unknown = page_of(console, "/alignment/leads", period="2026-W47", unknown="campaign")
    every = page_of(console, "/alignment/leads", period="2026-W47")
    csv = page_of(console, "/alignment/leads.csv", period="2026-W47", unknown="campaign")

    assert unknown.text.count('<tr id="lead-') == 1
    assert every.text.count('<tr id="lead-') == 3
    assert len(csv.text.splitlines()) == 2
    assert "no campaign" in text_of(unknown)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"period": "2026-W60"}, "the year 2026 has no week 60"),
        ({"period": "last year"}, "is no period: write one such as 2026-W47"),
        ({"since": "2026-11-20", "until": "2026-11-18"}, "must not lie after"),
        ({"period": "2026-W47", "since": "2026-11-18"}, "but not both"),
        ({"period": "2026-W47\x00"}, "leave it out"),
    ],
    ids=["no week", "no period", "reversed", "twice", "null"],
)
def test_a_period_that_is_none_is_refused_in_words_and_this_week_is_shown(
    console: RunningConsole, query: dict[str, str], sentence: str
) -> None:
    page = page_of(console, "/alignment", **query)

    assert page.status_code == 200
    assert sentence in text_of(page)
    assert "3 leads that qualified 16 Nov to 22 Nov 2026" in text_of(page)


@pytest.mark.parametrize(
    ("query", "dates"),
    [
        ({"period": "2026-W47", "since": "2026-11-02"}, "2 Nov to"),
        ({"period": "2026-W46", "since": "2026-11-02"}, "9 Nov to"),
        ({"period": "2026-W47"}, "16 Nov to"),
        ({"period": "", "since": "2026-11-03", "until": "2026-11-04"}, "3 Nov to"),
    ],
    ids=["dates", "another period", "nothing", "dates alone"],
)
def test_the_form_counts_what_was_changed_of_period_and_dates(
    console: RunningConsole, query: dict[str, str], dates: str
) -> None:
    text = text_of(page_of(console, "/alignment", shown="2026-W47", **query))

    assert "but not both" not in text
    assert re.search(rf"that qualified {dates}", text) or "No lead qualified" in text
    assert dates in text


def test_links_keep_what_the_report_is_grouped_by_and_narrowed_to(console: RunningConsole) -> None:
    state = {"period": "2026-W47", "by": "rep", "team": "sales", "credit": "channel"}
    page = page_of(console, "/alignment", **state)

    [to_agenda] = re.findall(r'href="(/alignment/agenda\?[^"]*)"', page.text)
    [to_campaign] = re.findall(r'href="(/alignment\?[^"]*campaign=autumn[^"]*)"', page.text)
    for address in (to_agenda, to_campaign):
        assert state.items() <= dict(parse_qsl(urlsplit(html.unescape(address)).query)).items()
    with console.visit() as client:
        agenda = client.get(html.unescape(to_agenda))
        behind = client.get(next(it for it in links_of(page) if "stage=qualified" in it))
        elsewhere = client.get("/alignment/leads?period=2026-W47&report=//evil.example/alignment")
    [back] = re.findall(r'href="([^"]*)">The report<', agenda.text)
    assert state.items() <= dict(parse_qsl(urlsplit(html.unescape(back)).query)).items()
    [back] = re.findall(r'href="([^"]*)">The report<', behind.text)
    assert html.unescape(back) == f"/alignment?{urlencode(state)}"
    assert 'href="/alignment?period=2026-W47">The report<' in elsewhere.text


@pytest.mark.parametrize("by", [*GROUPS, "<b>"])
def test_the_funnel_is_grouped_as_asked(console: RunningConsole, by: str) -> None:
    page = page_of(console, "/alignment", by=by, period="2026-11")

    assert page.status_code == 200
    assert f"By {'team' if by == '<b>' else by}" in text_of(page)


def test_filters_narrow_the_funnel_and_the_leads_behind_it(console: RunningConsole) -> None:
    page = page_of(console, "/alignment", campaign="autumn")

    assert "1 lead that qualified" in text_of(page)
    others = ("promise=", "counted_by=")  # promises and campaigns are of all leads
    of_funnel = [it for it in links_of(page) if not any(name in it for name in others)]
    assert of_funnel
    assert all("campaign=autumn" in it for it in of_funnel)


def test_a_period_without_leads_says_so(console: RunningConsole) -> None:
    page = page_of(console, "/alignment", period="2025-Q1")
    leads = page_of(console, "/alignment/leads", period="2025-Q1")

    assert "No lead qualified in this period." in text_of(page)
    assert "leadbaton demo" in text_of(page)
    assert "Nothing was won in this period" in text_of(page)
    assert "No lead is behind this figure." in text_of(leads)


def test_the_agenda_names_what_the_two_teams_talk_about(console: RunningConsole) -> None:
    text = text_of(page_of(console, "/alignment/agenda", period="2026-W47"))

    assert "mqls: qualified leads 16 Nov to 22 Nov 2026 at least 40" in text
    assert "1 rejected of 3 leads that qualified" in text
    assert "not <b> ready 1" in text
    for title in ("The leads that have waited longest", "What changed in the agreement"):
        assert title in text


def test_an_agenda_of_no_period_is_that_of_this_week(console: RunningConsole) -> None:
    page = page_of(console, "/alignment/agenda", period="2026-W60")

    assert page.status_code == 200
    assert "the year 2026 has no week 60" in text_of(page)
    assert "1 rejected of 3 leads that qualified" in text_of(page)


def test_the_agenda_compares_the_versions_of_the_agreement(sessions: Sessions) -> None:
    with sessions.begin() as session:
        publish(session, json.dumps(DEFAULT_SECTIONS), by="test", now=NOON - days(30))
        publish(session, json.dumps({**DEFAULT_SECTIONS, **PROMISED}), by="dana", now=NOON)
    with running_console(sessions, now=NOON) as console:
        text = text_of(page_of(console, "/alignment/agenda", period="2026-W47"))

    assert "What changed in the agreement" in text
    assert "dana" in text


@pytest.mark.parametrize(
    "path", ["/alignment", "/alignment/agenda", "/alignment/leads?period=2026-W47"]
)
@pytest.mark.parametrize("away", [it for it in Service if it is not Service.ROUTING])
def test_a_service_that_is_away_leaves_a_page(sessions: Sessions, path: str, away: Service) -> None:
    with sessions.begin() as session:
        read(session, qualified("ada"))
    with running_console(sessions, away=away, now=NOON) as console, console.visit() as client:
        page = client.get(path)

    assert page.status_code == 200
    is_missing = "the alignment service does not answer" in page.text
    assert is_missing is (away is Service.ALIGNMENT)


def test_the_lists_are_files_too(console: RunningConsole) -> None:
    with console.visit() as client:
        page = client.get("/alignment?by=campaign&period=2026-W47")
        addresses = re.findall(r'href="([^"]+)" download', page.text)
        files = [client.get(html.unescape(it)) for it in addresses]

    assert [it.headers["content-type"] for it in files] == ["text/csv; charset=utf-8"] * 4
    assert [len(it.text.splitlines()) for it in files] == [3, 4, 3, 5]
