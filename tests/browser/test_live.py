"""Pages that follow what happens: at once, without moving what the viewer points at, through outages of the stream."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from services.cli.processes import CONSOLE
from shared.clock import utc_now
from tests.browser.people import DEFAULTS, Console, email_of
from tests.browser.watching import evaluate
from tests.journey.world import event

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

BOARD = "/"
NOTE_ROW = """
    window.rowsUnderPointer = new Set();
    setInterval(() => window.rowsUnderPointer.add(document.elementFromPoint(%d, %d)?.closest("tr")?.id), 10);
"""
"""Notes the row at a point every 10 ms."""

IN_TIME = timedelta(seconds=1)


def ask(console: Console, person: str) -> None:
    """Let somebody whom nobody answers ask for a demo: the promise is broken ten seconds later."""
    traits = {**DEFAULTS, "name": f"{person.title()} Live"}
    console.world.send([event(email_of(person), "demo_requested", "asks", traits=traits)])


def breached_at(console: Console, person: str) -> datetime:
    """When the promise about the person was broken."""
    handoff = console.world.handoff(email_of(person), "assigned")
    clocks = console.world.clocks(handoff["id"])
    return datetime.fromisoformat(clocks["inbound_accept"]["breached_at"])


def open_board(page: Page) -> None:
    """Open the board, and mark the document: a reload would remove the mark."""
    page.goto(BOARD)
    evaluate(page, "window.isFirst = true")


def time_to_load(page: Page) -> timedelta:
    """How long the board takes to be loaded now: on a busy machine that is the measure of what is at once."""
    began_at = utc_now()
    page.goto(BOARD)
    return utc_now() - began_at


def hide(page: Page, *, is_hidden: bool) -> None:
    """Tell the page that its tab is hidden or shown."""
    value = "true" if is_hidden else "false"
    evaluate(
        page,
        f"Object.defineProperty(document, 'hidden', {{value: {value}, configurable: true}});"
        "document.dispatchEvent(new Event('visibilitychange'))",
    )


def test_a_breach_is_on_the_board_within_a_second(page: Page, console: Console) -> None:
    open_board(page)
    ask(console, "alva")
    breaches = page.get_by_role("region", name="Open breaches")
    breaches.get_by_text("Alva Live").wait_for(timeout=30_000)
    shown_at = utc_now()

    assert evaluate(page, "window.isFirst") is True
    assert shown_at - breached_at(console, "alva") < max(IN_TIME, 2 * time_to_load(page))


def test_the_row_under_the_pointer_stays_where_it_is(page: Page, console: Console) -> None:
    open_board(page)
    row = page.get_by_role("region", name="Open breaches").locator("tbody tr").nth(1)
    row.hover()
    before = row.bounding_box()
    assert before is not None
    id_ = row.get_attribute("id")
    x, y = before["x"] + before["width"] / 2, before["y"] + before["height"] / 2
    evaluate(page, NOTE_ROW % (x, y))
    traits = {**DEFAULTS, "country": "JP"}
    console.world.send(
        [
            event(email_of(f"rush-{number}"), "demo_requested", "asks", traits=traits)
            for number in range(200)
        ]
    )
    ask(console, "bodil")
    page.get_by_role("button", name="new, show").wait_for(timeout=30_000)

    assert row.bounding_box() == before
    assert row.get_attribute("id") == id_
    assert evaluate(page, "[...window.rowsUnderPointer]") == [id_]
    page.mouse.move(0, 0)
    expect(page.locator("#live")).to_contain_text("Bodil Live", timeout=30_000)


def test_a_stream_that_was_cut_goes_on_without_loss(page: Page, console: Console) -> None:
    open_board(page)
    console.world.kill(CONSOLE)
    ask(console, "casper")
    page.locator("#live").get_by_text("Casper Live").first.wait_for(timeout=30_000)


def test_a_hidden_tab_is_up_to_date_when_it_is_shown(page: Page, console: Console) -> None:
    open_board(page)
    hide(page, is_hidden=True)
    ask(console, "dagny")
    console.world.handoff(email_of("dagny"), "assigned")
    assert "Dagny Live" not in page.locator("#live").inner_text()
    hide(page, is_hidden=False)

    page.locator("#live").get_by_text("Dagny Live").first.wait_for(timeout=10_000)
    assert evaluate(page, "window.isFirst") is True


def test_news_is_easy_to_hit_while_the_pointer_is_on_the_list(page: Page, console: Console) -> None:
    open_board(page)
    page.get_by_role("region", name="Open breaches").locator("tbody tr").nth(1).hover()
    ask(console, "elin")
    button = page.get_by_role("button", name="new, show")
    button.wait_for(timeout=30_000)
    box = button.bounding_box()
    assert box is not None
    assert box["width"] >= 160
    assert box["height"] >= 40

    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y, steps=20)
    assert button.is_visible()
    assert button.bounding_box() == box
    page.mouse.click(x, y)
    expect(page.locator("#live")).to_contain_text("Elin Live", timeout=30_000)
    expect(page).to_have_url(f"{console.url}/")


def test_a_paused_page_stays_until_it_goes_on(page: Page, console: Console) -> None:
    open_board(page)
    page.keyboard.press("p")
    expect(page.get_by_role("status")).to_contain_text("Paused")
    ask(console, "frida")
    page.get_by_role("button", name="new, show").wait_for(timeout=30_000)
    assert "Frida Live" not in page.locator("#live").inner_text()

    page.keyboard.press("p")
    expect(page.locator("#live")).to_contain_text("Frida Live", timeout=30_000)


def test_the_list_of_leads_follows_what_happens(page: Page, console: Console) -> None:
    page.goto("/leads")
    evaluate(page, "window.isFirst = true")
    ask(console, "gunnar")

    page.locator("#live").get_by_text("Gunnar Live").wait_for(timeout=30_000)
    assert evaluate(page, "window.isFirst") is True
