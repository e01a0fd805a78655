"""Answer pages on a phone without scripts, as a program that opens links sees them, and as axe does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from pydantic import SecretStr

from services.cli.processes import ROUTING_API
from services.routing.domain.answer_links import LIFETIME, PURPOSE, AnswerLink, token_of
from shared.auth.derived_keys import derived_keys
from shared.clock import utc_now
from tests.browser.people import WORDS, Console, email_of
from tests.browser.watching import (
    DESKTOP,
    PHONE,
    Watched,
    axe_violations,
    overflow_px,
    take_screenshot,
)
from tests.engine import PATIENCE_S
from tests.journey.world import event

pytestmark = [pytest.mark.browser, pytest.mark.postgres]


@dataclass
class Rep:
    """The rep of a lead, with the link to its answer page."""

    console: Console
    browser: Browser
    person: str
    path: str = ""

    @property
    def url(self) -> str:
        """Where routing's API listens."""
        return self.console.world.installation.url(ROUTING_API)

    def state(self) -> tuple[str, int]:
        """The state of the handoff, and its number of steps."""
        handoff = self.console.handoff(self.person)
        details = self.console.world.get(ROUTING_API, f"/v1/handoffs/{handoff['id']}")
        return details["state"], len(details["history"])


@pytest.fixture
def rep(console: Console, browser: Browser, request: pytest.FixtureRequest) -> Rep:
    """The rep of a lead that has just been assigned."""
    person = f"lead_{request.node.name}".translate({ord(it): "_" for it in "[]-"})
    traits = {"name": "Ines Duarte", "company": "Tidewater & Co", "country": "US", "employees": 240}
    asks = event(email_of(person), "demo_requested", "asks", traits=traits, properties=WORDS)
    console.world.send([asks])
    handoff = console.world.handoff(email_of(person), "assigned")
    secret = console.world.installation.environment["LEADBATON_SECRET_KEY"]
    [key, *_] = derived_keys(SecretStr(secret), PURPOSE)
    link = AnswerLink(UUID(handoff["id"]), handoff["hop"], handoff["rep"], utc_now() + LIFETIME)
    return Rep(console, browser, person, f"/a/{token_of(link, key)}")


@pytest.fixture
def open_answer(rep: Rep) -> Iterator[Callable[..., Page]]:
    """Opens the link in a browser of its own."""
    watched: list[Watched] = []

    def open_(**options: Any) -> Page:
        watched.append(Watched(rep.browser, rep.url, **options))
        watched[-1].page.goto(rep.path)
        return watched[-1].page

    yield open_
    for context in watched:
        context.close()


def wait_a_second(page: Page) -> None:
    """Let the page be as old as a person needs to read it."""
    page.wait_for_timeout(1_100)


def test_a_rep_accepts_contacts_and_hands_back_on_a_phone_without_scripts(
    rep: Rep, open_answer: Callable[..., Page]
) -> None:
    page = open_answer(width=PHONE, java_script_enabled=False)
    expect(page.get_by_role("heading", level=1)).to_have_text("Ines Duarte")
    wait_a_second(page)
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("status")).to_have_text("Saved. Thank you.")
    assert rep.state()[0] == "accepted"

    page.get_by_label("How").select_option("phone")
    page.get_by_label("The outcome").select_option(index=1)
    page.get_by_role("form", name="You contacted them").get_by_label("Note").fill("Call <again>")
    wait_a_second(page)
    page.get_by_role("button", name="Save the contact").click()
    expect(page.get_by_text("You reported a contact")).to_be_visible()
    assert rep.state()[0] == "contacted"

    page.get_by_role("form", name="You cannot take it").get_by_label("The reason").select_option(
        "no_capacity"
    )
    wait_a_second(page)
    page.get_by_role("button", name="Hand it back").click()
    expect(page.get_by_text("There is nothing to answer here any more.")).to_be_visible()
    response = page.goto(rep.path)
    assert response is not None
    assert response.status in (200, 410)


def test_a_form_without_a_choice_is_not_sent(rep: Rep, open_answer: Callable[..., Page]) -> None:
    before = rep.state()
    page = open_answer(width=PHONE)
    wait_a_second(page)
    page.get_by_role("button", name="Hand it back").click()

    expect(page.get_by_role("button", name="Hand it back")).to_be_visible()
    assert rep.state() == before


def test_a_program_that_opens_links_changes_nothing(
    rep: Rep, open_answer: Callable[..., Page]
) -> None:
    before = rep.state()
    with httpx.Client(base_url=rep.url, timeout=PATIENCE_S) as robot:
        for method in ("HEAD", "GET", "OPTIONS", "HEAD", "GET"):
            assert robot.request(method, rep.path).status_code in (200, 204)
    page = open_answer()
    page.wait_for_load_state("networkidle")
    page.mouse.wheel(0, 2_000)
    wait_a_second(page)
    with httpx.Client(base_url=rep.url, timeout=PATIENCE_S) as robot:
        assert robot.post(rep.path, data={"answer": "accepted"}).status_code == 403
        stamp = robot.get(rep.path).text.split('name="stamp" value="')[1].split('"')[0]
        fields = {"answer": "accepted", "stamp": stamp}
        assert "confirm" in robot.post(rep.path, data=fields).text
        robot.cookies.clear()
        assert robot.post(rep.path, data=fields).status_code == 403

    assert rep.state() == before


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_an_answer_page_is_accessible_and_fits(
    open_answer: Callable[..., Page], scheme: str, width: int
) -> None:
    page = open_answer(width=width, color_scheme=scheme)
    take_screenshot(page, f"answer-{scheme}-{width}")

    assert axe_violations(page) == []
    assert overflow_px(page) <= 0
    page.get_by_role("button", name="Accept").click()
    assert axe_violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_without_an_answer_is_accessible(rep: Rep, scheme: str) -> None:
    watched = Watched(rep.browser, rep.url, width=PHONE, color_scheme=scheme)
    response = watched.page.goto(rep.path[:-1])
    take_screenshot(watched.page, f"answer-none-{scheme}")

    assert response is not None
    assert response.status == 404
    assert axe_violations(watched.page) == []
    watched.close()
