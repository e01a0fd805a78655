"""Forms of live pages: nothing moves under the pointer or the cursor, and what was entered stays."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.people import Console
from tests.browser.steps import assigned
from tests.browser.watching import evaluate
from tests.journey.world import Json, until

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

HEIGHTS = pytest.mark.parametrize(
    "height", [300, 800, 2_400], ids=["only forms", "forms and the list's end", "the whole page"]
)
FIELDS = """
    <form method="post" action="/nowhere">
    <label>Format <select name="format">
    <option>standard</option><option {slack}>slack</option><option>chat</option></select></label>
    <label>Team <select name="team"><option>inbound</option>{more}</select></label>
    <label><input type="checkbox" name="by" value="call"> calls</label>
    <label><input type="checkbox" name="by" value="mail" checked> mails</label>
    <label><input type="checkbox" name="by" value="visit" {visits}> visits</label>
    <label><input type="radio" name="when" value="now" checked> at once</label>
    <label><input type="radio" name="when" value="later"> tomorrow</label>
    <label>Name <input name="name" value="{name}"></label>
    <label>Note <textarea name="note"></textarea></label></form>
"""
BEFORE = {"slack": "", "more": "<option>gone</option>", "visits": "checked", "name": "Ada"}
AFTER = {"slack": "selected", "more": "", "visits": "", "name": "Bob"}
UNTOUCHED = {"Format": "slack", "Team": "inbound", "Name": "Bob", "Note": ""} | {
    "calls": False,
    "mails": True,
    "visits": False,
    "at once": True,
    "tomorrow": False,
}
ENTERED = {"Format": "chat", "Team": "inbound", "Name": "Cyd", "Note": "A note"} | {
    "calls": True,
    "mails": False,
    "visits": False,
    "at once": False,
    "tomorrow": True,
}
"""What the fields hold after the change: of two choices for the team one is gone."""


class Stream:
    """The live view of a page, as the test writes it: each fragment is a response of its own."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._routes: list[Route] = []
        self._numbers = count(1)
        page.route("**/live?*", self._note)

    def _note(self, route: Route) -> None:
        self._routes.append(route)

    def send(self, content: str) -> None:
        """Replace the live region, and return when it has this content."""
        while not self._routes:
            self._page.wait_for_timeout(10)
        number = next(self._numbers)
        region = f'<div id="live">{" ".join(content.split())}<p id="sent">{number}</p></div>'
        body = f"retry: 1\ndata: {region}\n\n"
        self._routes.pop(0).fulfill(content_type="text/event-stream", body=body)
        expect(self._page.locator("#sent")).to_have_text(str(number))


def open_handoff(page: Page, console: Console, height: int = 800) -> Json:
    """Open the page of a new handoff in a window of this height."""
    handoff = assigned(console)
    page.set_viewport_size({"width": 1280, "height": height})
    page.goto(f"/handoffs/{handoff['id']}")
    return handoff


def note_contacts(page: Page, console: Console, handoff: Json) -> None:
    """Let the list above the forms grow by two lines, and return when it has."""
    for outcome in ("no_answer", "reached"):
        body = {"channel": "phone", "outcome": outcome}
        assert console.ops(f"/v1/handoffs/{handoff['id']}/contact", body).status_code == 200
    expect(page.locator("#live")).to_contain_text("outcome: reached", timeout=30_000)


def top_of(element: Locator) -> float:
    """Where the element begins in the window, in pixels."""
    box = element.bounding_box()
    assert box is not None
    return box["y"]


def enter(page: Page) -> None:
    """Enter something in every field but one, and leave the form."""
    live = page.locator("#live")
    live.get_by_label("Format").select_option("chat")
    live.get_by_label("Team").select_option("gone")
    live.get_by_label("calls").check()
    live.get_by_label("mails").uncheck()
    live.get_by_label("tomorrow").check()
    live.get_by_label("Name").fill("Cyd")
    live.get_by_label("Note").fill("A note")
    page.get_by_role("heading", level=1).click()


def values(page: Page) -> Mapping[str, object]:
    """What the fields hold."""
    fields = {label: page.locator("#live").get_by_label(label) for label in UNTOUCHED}
    return {
        label: field.is_checked() if isinstance(UNTOUCHED[label], bool) else field.input_value()
        for label, field in fields.items()
    }


def swapped(page: Page, console: Console, person: str) -> None:
    """Let somebody ask for a demo, and return when the page has shown what that changed."""
    evaluate(page, "document.getElementById('live').isOld = true")
    console.ask(person)
    until(
        lambda: evaluate(page, "!document.getElementById('live').isOld"), why="the region changes"
    )


@HEIGHTS
def test_a_press_ends_where_it_began_though_the_list_above_grows(
    page: Page, console: Console, height: int
) -> None:
    handoff = open_handoff(page, console, height)
    page.locator("summary", has_text="Hand back").hover()
    page.mouse.down()
    note_contacts(page, console, handoff)
    page.mouse.up()

    expect(page.locator("#reject")).to_have_attribute("open", "")


@HEIGHTS
def test_a_press_ends_where_it_began_though_the_list_above_shrinks(
    page: Page, console: Console, height: int
) -> None:
    stream = Stream(page)
    open_handoff(page, console, height)
    summary = page.locator("summary", has_text="Hand back")
    summary.hover()
    page.mouse.down()
    for content in ("<p>Less than there was.</p>", "<p>Two lines</p><p>again</p>", ""):
        stream.send(content)
    page.mouse.up()

    expect(page.locator("#reject")).to_have_attribute("open", "")


@HEIGHTS
def test_a_field_that_is_written_in_stays_where_it_is(
    page: Page, console: Console, height: int
) -> None:
    handoff = open_handoff(page, console, height)
    page.locator("summary", has_text="Hand back").click()
    note = page.locator("#note-reject")
    note.click()
    page.keyboard.type("they would rather")
    page.mouse.move(0, 0)
    before = top_of(note)
    note_contacts(page, console, handoff)

    assert top_of(note) == pytest.approx(before, abs=1)
    page.keyboard.type(" wait")
    expect(note).to_have_value("they would rather wait")


def test_a_field_that_is_out_of_sight_does_not_move_what_is_read(
    page: Page, console: Console
) -> None:
    handoff = open_handoff(page, console, height=300)
    page.get_by_label("Why", exact=True).click()
    page.mouse.move(0, 0)
    evaluate(page, "window.scrollTo(0, 0)")
    title = page.get_by_role("heading", level=1)
    before = top_of(title)
    note_contacts(page, console, handoff)

    assert top_of(title) == before


def test_forms_that_were_scrolled_to_stay_where_they_are(page: Page, console: Console) -> None:
    handoff = open_handoff(page, console)
    button = page.get_by_role("button", name="Reassign")
    page.mouse.move(0, 0)
    button.scroll_into_view_if_needed()
    before = top_of(button)
    note_contacts(page, console, handoff)

    assert top_of(button) == pytest.approx(before, abs=1)


def test_a_message_does_not_move_what_the_viewer_points_at(page: Page, console: Console) -> None:
    open_handoff(page, console, height=2_400)
    summary = page.locator("summary", has_text="Hand back")
    summary.hover()
    before = top_of(summary)
    for message in ("Paused", "No longer paused"):
        page.keyboard.press("p")
        expect(page.get_by_role("status")).to_contain_text(message)
        assert top_of(summary) == pytest.approx(before, abs=1)


def test_what_was_written_survives_a_change(page: Page, console: Console) -> None:
    page.goto("/reps")
    page.locator("summary", has_text="Away").first.click()
    page.get_by_label("Back on").first.fill("2026-12-24")
    page.get_by_role("heading", level=1).click()
    swapped(page, console, "hedda")

    expect(page.get_by_label("Back on").first).to_have_value("2026-12-24")


def test_a_choice_survives_a_change(page: Page, console: Console) -> None:
    page.goto("/deliveries?all=1")
    page.locator("summary", has_text="Address").first.click()
    choice = page.locator("#live").get_by_label("Format").first
    before = choice.input_value()
    choice.select_option("teams")
    page.get_by_role("heading", level=1).click()
    swapped(page, console, "ingrid")

    assert before != "teams"
    expect(choice).to_have_value("teams")
    expect(choice).to_be_visible()


@pytest.mark.parametrize("entered", [True, False], ids=["entered", "untouched"])
def test_every_kind_of_field_keeps_what_was_entered_and_else_has_the_new_value(
    page: Page, *, entered: bool
) -> None:
    stream = Stream(page)
    page.goto("/reps")
    stream.send(FIELDS.format_map(BEFORE))
    if entered:
        enter(page)
    stream.send(FIELDS.format_map(AFTER))

    assert values(page) == (ENTERED if entered else UNTOUCHED)
