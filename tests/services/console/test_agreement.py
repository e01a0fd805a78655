"""The page Agreement: versions, differences, the text, what rules did, and the check of a draft."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from services.console.pages.agreement import CHECK_TIMEOUT
from services.routing.api.drafts import WALL_S
from services.routing.handlers import Assigner
from shared.agreement.store import publish, publish_again
from shared.db.session import Sessions
from tests.builders import NOON, lead_qualified
from tests.services.console.site import RunningConsole, running_console, token_in
from tests.services.routing.builders import URL, entry, importing, publishing, qualifying
from tests.shared.agreement.builders import WHOLE, changed

pytestmark = pytest.mark.postgres


@pytest.fixture
def console(sessions: Sessions) -> Iterator[RunningConsole]:
    """Three versions, the last the same as the first; a lead has qualified."""
    with sessions.begin() as session:
        publish(session, WHOLE, by="dana <b>", now=NOON - timedelta(days=2), note="the first")
        publish(session, changed("name: Test", "name: Other"), by="felix", now=NOON)
        publish_again(session, 1, by="dana", now=NOON)
        publishing(session)
        importing(session, entry("amira"))
        lead = lead_qualified(lead="ada", agreement_version=4, at=NOON - timedelta(hours=1))
        qualifying(session, Assigner(URL), lead)
    with running_console(sessions) as running:
        yield running


def test_versions_the_newest_text_and_the_rules_are_shown(console: RunningConsole) -> None:
    with console.visit("read") as client:
        page = client.get("/agreement")

    assert page.status_code == 200, page.text
    assert "dana &lt;b&gt;" in page.text
    assert "(as version 1)" in page.text
    assert '<h2 id="text-title">Version 4</h2>' in page.text
    rule = page.text.split('id="rule-everybody"')[1].split("</tr>")[0]
    assert "1 assigned" in rule


def test_an_old_text_is_shown_with_its_comments(console: RunningConsole) -> None:
    with console.visit() as client:
        page = client.get("/agreement?version=1")
        unknown = client.get("/agreement?version=99")

    assert '<h2 id="text-title">Version 1</h2>' in page.text
    assert "the first" in page.text
    assert unknown.status_code == 404


def test_two_versions_are_compared_line_by_line(console: RunningConsole) -> None:
    with console.visit() as client:
        page = client.get("/agreement?from=1&to=2").text
        equal = client.get("/agreement?from=1&to=3").text

    assert "<del>-name: Test</del>" in page
    assert "<ins>+name: Other</ins>" in page
    assert "The two files are equal." in equal


def test_a_draft_is_checked_and_faults_are_shown_beside_it(console: RunningConsole) -> None:
    with console.visit() as client:
        token = token_in(client.get("/agreement").text)
        faulty = changed("zone: Europe/Berlin", "zone: Europe/Berln")
        page = client.post("/agreement/check", data={"token": token, "source": faulty})
        sound = client.post(
            "/agreement/check",
            data={"token": token, "source": WHOLE.replace("\n", "\r\n")},
            follow_redirects=True,
        )

    assert page.status_code == 422
    assert "The draft has one fault:\n40:13: unknown zone" in page.text
    assert "zone: Europe/Berln" in page.text.split("<textarea")[1]
    assert "The draft is sound: 4 scoring rules" in sound.text


def test_many_faults_are_counted(console: RunningConsole) -> None:
    with console.visit() as client:
        token = token_in(client.get("/agreement").text)
        page = client.post("/agreement/check", data={"token": token, "source": "a: 1\nb: 2\n"})

    assert "faults:" in page.text


def test_without_an_agreement_the_page_says_how_one_is_published(sessions: Sessions) -> None:
    with running_console(sessions) as console, console.visit() as client:
        page = client.get("/agreement").text

    assert "leadbaton agreement publish FILE" in page
    assert "Check a draft" in page


def test_a_rep_does_not_see_the_page(console: RunningConsole) -> None:
    with console.visit("rep") as client:
        assert client.get("/agreement").status_code == 403


def test_the_console_waits_for_a_check_longer_than_the_api_takes() -> None:
    assert CHECK_TIMEOUT.read is not None
    assert CHECK_TIMEOUT.read > WALL_S + 5
