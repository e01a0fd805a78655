"""The pages Leads: a lead is found by half a name, and its story has everything that happened."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import httpx
import pytest

from services.console.apis import Connections, Service
from services.console.pages.cards import CardView, card_of
from services.console.pages.leads import load_story
from services.console.pages.page import View
from services.console.sessions import Visitor
from shared.db.session import Sessions
from tests.builders import NOON, minutes
from tests.services.console.lead_history import TITLE, add_lead_history
from tests.services.console.site import NOWHERE, RunningConsole, running_console, token_in

pytestmark = pytest.mark.postgres
LATER = NOON + minutes(90)


@pytest.fixture
def console(sessions: Sessions) -> Iterator[RunningConsole]:
    """The console an hour and a half after noon."""
    with running_console(sessions, now=LATER) as console:
        yield console


def search(client: httpx.Client, query: str) -> httpx.Response:
    """The page of leads that the form finds."""
    fields = {"token": token_in(client.get("/leads").text), "q": query}
    return client.post("/leads/find", data=fields, follow_redirects=True)


def text_of(page: str) -> str:
    """The page without its elements, with single blanks."""
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", page).split()))


def test_a_lead_is_found_by_half_a_name_and_its_story_is_told_in_order(
    console: RunningConsole,
) -> None:
    lead_id = add_lead_history(console.sessions)
    with console.visit() as client:
        results = search(client, "muller tide")
        assert "Inês Müller" in results.text
        assert f'href="/leads/{lead_id}"' in results.text
        story = client.get(f"/leads/{lead_id}")

    assert story.status_code == 200
    assert TITLE not in story.text
    text = text_of(story.text)
    moments = [
        f"Page viewed: {TITLE}",
        "Demo requested",
        "Qualified as standard, by hand raise",
        "Assigned to Amira",
        "Promised: first touch",
        "Broken: first touch",
    ]
    positions = [text.index(it) for it in moments]
    assert positions == sorted(positions)
    assert "handoff.assigned to rep/amira: pending, 0 attempts" in text
    assert "grade" in text


def test_the_form_finds_leads_and_leaves_no_name_in_the_address(console: RunningConsole) -> None:
    add_lead_history(console.sessions)
    with console.visit() as client:
        token = token_in(client.get("/leads").text)
        response = client.post("/leads/find", data={"token": token, "q": " ines  tide "})
        address = response.headers["location"]
        results = client.get(address).text
        nothing = client.post("/leads/find", data={"token": token, "q": " "})
        with client.stream("GET", "/live", params={"view": address}) as stream:
            live = next(it for it in stream.iter_lines() if "Leads for" in it)

    assert "ines" not in address
    assert "Inês Müller" in results
    assert 'value="ines tide"' in results
    assert "ines tide" in live
    assert nothing.headers["location"] == "/leads"


def test_without_a_search_those_that_qualified_are_listed(console: RunningConsole) -> None:
    add_lead_history(console.sessions)
    with console.visit() as client:
        page = client.get("/leads")
    assert "ines@tidewater-analytics.com" in page.text


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("", "No lead has qualified yet."),
        ("nobody", "No lead has words that begin so."),
        ("a", "write at least 2 letters or digits of a word"),
    ],
)
def test_an_empty_list_says_what_to_do(console: RunningConsole, query: str, sentence: str) -> None:
    with console.visit() as client:
        page = search(client, query)
    assert page.status_code == 200
    assert sentence in page.text


def test_what_was_searched_is_shown_as_text(console: RunningConsole) -> None:
    with console.visit() as client:
        page = search(client, "<script>x</script>")
    assert "<script>x" not in page.text


def test_a_rep_sees_the_leads_that_the_rep_holds_and_no_others(console: RunningConsole) -> None:
    lead_id = add_lead_history(console.sessions)
    with console.visit("rep") as client:  # Amira
        assert "Inês Müller" in search(client, "ines").text
        assert "Assigned to Amira" in client.get(f"/leads/{lead_id}").text
        assert client.get("/leads/00000000-0000-0000-0000-000000000000").status_code == 404


@pytest.mark.parametrize(
    ("away", "sentence", "kept"),
    [
        (Service.SCORING, "the scoring does not answer", "Assigned to Amira"),
        (Service.SLA, "the SLA monitor does not answer", "Assigned to Amira"),
    ],
)
def test_a_service_that_is_away_leaves_the_rest_of_the_story(
    sessions: Sessions, away: Service, sentence: str, kept: str
) -> None:
    with running_console(sessions, away=away, now=LATER) as console:
        lead_id = add_lead_history(sessions)
        with console.visit() as client:
            text = text_of(client.get(f"/leads/{lead_id}").text)
    assert sentence in text
    assert kept in text


def test_without_routing_the_story_has_the_events_alone(console: RunningConsole) -> None:
    lead_id = str(add_lead_history(console.sessions))
    visitor = Visitor(console.keys["ops"], "ops", "olga", LATER.timestamp(), "")
    view = View(f"/leads/{lead_id}", {"lead_id": lead_id}, {}, visitor, LATER, ZoneInfo("UTC"))

    async def load() -> list[str]:
        connections = Connections({**console.urls, Service.ROUTING: NOWHERE})
        values = await load_story(connections.apis(visitor.key), view)
        await connections.close()
        assert len(values["gaps"]) == 1
        return [row.kind for row in values["rows"]]

    assert set(asyncio.run(load())) == {"event", "stage"}


def test_a_page_of_another_list_is_refused(console: RunningConsole) -> None:
    with console.visit() as client:
        response = client.get("/leads", params={"after": "nonsense"})
        assert response.status_code == 400
        assert "after" in response.text


def test_a_leads_page_and_its_handoffs_page_have_the_card_with_words_as_text(
    console: RunningConsole,
) -> None:
    lead_id = add_lead_history(console.sessions)
    with console.visit() as client:
        story = client.get(f"/leads/{lead_id}").text
        [handoff] = set(re.findall(r'href="(/handoffs/[0-9a-f-]+)"', story))
        pages = (story, client.get(handoff).text)

    for page in pages:
        words = '<q class="words" dir="auto">Nobody calls.\n&lt;b&gt;Ever.&lt;/b&gt;</q>'
        assert f'<dt dir="auto">Wish</dt><dd>{words}' in page
        assert "Consent unknown" in text_of(page)
        assert "First touch direct: demo requested, 18 Nov 2026" in text_of(page)


def test_a_lead_that_was_announced_without_a_card_has_none() -> None:
    assert card_of({"lead_card": None}) == card_of({}) == CardView([], [])
