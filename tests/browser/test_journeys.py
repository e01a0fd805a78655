"""What ops and reps do in the console from beginning to end, with scripts and without."""

from __future__ import annotations

import re
from csv import DictReader
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.people import Console
from tests.browser.steps import (
    SCRIPTS,
    assigned,
    heading,
    numbers,
    press,
    put,
    status,
)

pytestmark = [pytest.mark.browser, pytest.mark.postgres]


@SCRIPTS
def test_from_the_board_to_a_breach_its_handoff_why_this_rep_and_the_leads_story(
    open_page: OpenPage, *, scripts: bool
) -> None:
    page = open_page(java_script_enabled=scripts)
    page.goto("/")
    row = page.get_by_role("region", name="Open breaches").locator("tbody tr").last
    lead = row.get_by_role("link").first.inner_text()
    row.get_by_role("link").nth(1).click()

    expect(heading(page, "Promise")).to_be_visible()
    expect(page.get_by_role("img").first).to_be_visible()
    page.get_by_role("main").get_by_role("link", name=lead).click()

    expect(heading(page, lead)).to_be_visible()
    expect(page.get_by_role("region", name="Promises")).to_contain_text("breached")
    page.get_by_role("main").get_by_role("link", name=re.compile("^Why ")).click()

    expect(heading(page, "Why this rep")).to_be_visible()
    expect(page.get_by_role("region", name="Candidates").locator("tr.picked")).to_contain_text(
        "picked"
    )
    page.get_by_role("main").get_by_role("link", name=lead).click()
    page.get_by_role("link", name="The lead's story").click()

    expect(heading(page, lead)).to_be_visible()
    story = page.get_by_role("main").get_by_role("list").last
    for moment in ("Demo requested", "Qualified as", "Assigned to", "Promised:", "Broken:"):
        expect(story).to_contain_text(moment)
    page.locator("summary", has_text="Assigned to").first.click()
    page.get_by_role("link", name="Why this rep").first.click()
    expect(heading(page, "Why this rep")).to_be_visible()


@SCRIPTS
def test_a_lead_is_accepted_contacted_and_won(
    open_page: OpenPage, console: Console, *, scripts: bool
) -> None:
    handoff = assigned(console)
    page = open_page(java_script_enabled=scripts)
    page.goto(f"/handoffs/{handoff['id']}")
    press(page, "Accept")
    expect(status(page)).to_have_text("Accepted.")

    page.locator("summary", has_text="A contact").click()
    put(page, "By", "phone")
    page.get_by_role("combobox", name="Outcome").select_option("reached")
    press(page, "Note the contact")
    expect(status(page)).to_have_text("The contact is noted.")

    page.locator("summary", has_text=re.compile("^Won$")).click()
    put(page, "Amount, if known", "12500")
    put(page, "Currency", "EUR")
    press(page, "Close as won")
    expect(status(page)).to_have_text("Won.")
    expect(page.get_by_role("region", name="What happened")).to_contain_text("amount: 12500")
    expect(page.get_by_role("region", name="Reassign")).to_have_count(0)


@SCRIPTS
def test_a_lead_is_given_to_another_rep(
    open_page: OpenPage, console: Console, *, scripts: bool
) -> None:
    handoff = assigned(console)
    page = open_page(java_script_enabled=scripts)
    page.goto(f"/handoffs/{handoff['id']}")
    put(page, "Why", "knows the customer")
    press(page, "Reassign")

    expect(status(page)).to_contain_text("Reassigned to")
    expect(page.get_by_role("region", name="What happened")).to_contain_text("knows the customer")
    assert console.world.clocks(handoff["id"])
    page.locator("summary", has_text="Hand back").click()
    page.get_by_role("main").get_by_role("combobox", name="Reason").last.select_option(index=1)
    press(page, "Hand back")
    expect(status(page)).to_have_text("Handed back.")


@SCRIPTS
def test_a_refused_answer_says_why_and_keeps_the_page(
    open_page: OpenPage, console: Console, *, scripts: bool
) -> None:
    handoff = assigned(console)
    page = open_page(java_script_enabled=scripts)
    page.goto(f"/handoffs/{handoff['id']}")
    answered = console.ops(f"/v1/handoffs/{handoff['id']}/lose", {"reason": "no_budget"})
    assert answered.status_code == 200
    if scripts:
        expect(page.locator("#live")).to_contain_text("lost")
    press(page, "Accept")

    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Journey")


@SCRIPTS
def test_a_breach_is_acknowledged_with_a_note(
    open_page: OpenPage, console: Console, *, scripts: bool
) -> None:
    handoff = assigned(console)
    clock = console.breached(handoff["id"])
    note = f"called myself {next(numbers)}"
    page = open_page(java_script_enabled=scripts)
    page.goto("/sla?show=breaches&acknowledged=false")
    page.locator(f"#clock-{clock['id']}").get_by_role("link", name="Acknowledge").click()
    put(page, "Note", note)
    press(page, "Acknowledge")

    expect(status(page)).to_have_text("The breach is acknowledged.")
    expect(page.get_by_role("main")).to_contain_text(note)
    expect(page.get_by_role("heading", name="Acknowledge this breach")).to_have_count(0)
    page.goto("/sla?show=breaches")
    expect(page.locator(f"#clock-{clock['id']}")).to_contain_text(f"ops: {note}")


@SCRIPTS
def test_a_lead_is_found_by_half_a_name(open_page: OpenPage, *, scripts: bool) -> None:
    page = open_page(java_script_enabled=scripts)
    page.goto("/deliveries")
    search = page.get_by_role("banner").get_by_role("searchbox")
    search.fill("whitf")
    search.press("Enter")
    expect(page.get_by_role("searchbox", name="E-mail, name or company")).to_have_value("whitf")
    assert "whitf" not in page.url
    page.get_by_role("main").get_by_role("link", name="Oliver Whitfield").click()

    expect(heading(page, "Oliver Whitfield")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("Kestrel")


@SCRIPTS
def test_a_view_is_filtered_saved_and_opened_in_a_second_session(
    open_page: OpenPage, *, scripts: bool
) -> None:
    name = f"Waiting {next(numbers)}"
    page = open_page(java_script_enabled=scripts)
    page.goto("/handoffs")
    page.get_by_label("State").select_option("waiting")
    press(page, "Show")
    expect(page).to_have_url(re.compile("state=waiting"))
    page.locator("summary", has_text="Save these filters").click()
    put(page, "Save these filters as", name)
    page.get_by_label("for everybody").check()
    press(page, "Save")
    expect(status(page)).to_have_text(f"The view {name} is saved.")

    second = open_page(java_script_enabled=scripts)
    second.goto("/handoffs")
    second.get_by_role("link", name=name).click()
    expect(second).to_have_url(re.compile("state=waiting"))
    expect(second.get_by_role("region", name="Handoffs that match")).to_contain_text("Yuki Tanaka")

    rep = open_page(by="amira", java_script_enabled=scripts)
    rep.goto("/handoffs")
    expect(rep.get_by_role("region", name="Saved views")).to_contain_text(f"{name} shared by ops")
    rep.get_by_role("link", name=name).click()
    expect(rep.get_by_role("main")).to_contain_text("No handoff matches these filters.")

    second.get_by_role("button", name=f"Delete the view {name}").click()
    expect(status(second)).to_have_text(f"The view {name} is deleted.")


@SCRIPTS
def test_a_list_is_downloaded(open_page: OpenPage, *, scripts: bool) -> None:
    page = open_page(java_script_enabled=scripts)
    page.goto("/handoffs?state=waiting")
    with page.expect_download() as started:
        page.get_by_role("link", name="As CSV").click()
    download = started.value

    assert download.suggested_filename == "handoffs.csv"
    with Path(download.path()).open(newline="", encoding="utf-8") as file:
        rows = list(DictReader(file))
    assert "Yuki Tanaka" in {it["lead_name"] for it in rows}
    assert {it["state"] for it in rows} == {"waiting"}


@SCRIPTS
def test_a_rep_answers_from_the_list_and_signs_out(
    open_page: OpenPage, console: Console, *, scripts: bool
) -> None:
    handoff = assigned(console)
    while handoff["rep"] != "amira":
        handoff = assigned(console)
    page = open_page(by=None, java_script_enabled=scripts)
    page.goto("/handoffs")
    page.get_by_label("Key of ops or of a rep").fill(console.world.keys["amira"])
    page.get_by_role("button", name="Sign in").click()
    page.locator(f"#handoff-{handoff['id']}").get_by_role("button", name="Accept").click()
    expect(status(page)).to_have_text("Accepted.")

    page.get_by_role("button", name="Sign out").click()
    page.goto(f"/handoffs/{handoff['id']}")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
