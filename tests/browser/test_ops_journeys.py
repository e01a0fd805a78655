"""What ops do in the console about webhooks, endpoints and reps who leave, with scripts and without."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from services.cli.processes import ROUTING_API, ROUTING_WORKER
from tests.browser.conftest import OpenPage
from tests.browser.people import Console
from tests.browser.steps import (
    SCRIPTS,
    assigned,
    expect_in_time,
    heading,
    press,
    status,
)

pytestmark = [pytest.mark.browser, pytest.mark.postgres]


@SCRIPTS
def test_a_webhook_is_sent_again(open_page: OpenPage, console: Console, *, scripts: bool) -> None:
    handoff = console.handoff("mara")
    page = open_page(java_script_enabled=scripts)
    page.goto(f"/deliveries?handoff={handoff['id']}")
    press(page, re.compile("^Send again handoff.assigned"))

    expect(status(page)).to_have_text("The webhook is sent again, with the same id.")
    expect(page).to_have_url(re.compile(handoff["id"]))
    webhooks = page.get_by_role("region", name="Webhooks")
    expect_in_time(webhooks, "delivered", scripts=scripts)


@SCRIPTS
def test_a_reps_leads_are_planned_for_others_confirmed_and_cancelled(
    open_page: OpenPage, console: Console, *, scripts: bool
) -> None:
    rep = assigned(console)["rep"]
    page = open_page(java_script_enabled=scripts)
    page.goto(f"/handoffs?rep={rep}")
    page.get_by_label(re.compile("^Give all that .+ holds to others, because$")).fill("on leave")
    press(page, "Plan a re-route")
    expect(heading(page, "Re-route")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("Nothing has changed yet.")
    press(page, "Cancel")
    expect(status(page)).to_contain_text("Cancelled")

    page.goto(f"/handoffs?rep={rep}")
    press(page, "Plan a re-route")
    press(page, re.compile("^Confirm: move"))
    expect(status(page)).to_contain_text("Confirmed")
    expect_in_time(page.locator("#live"), "done", scripts=scripts)
    expect(page.locator(".state-reassigned, .state-waiting").first).to_be_visible()


@SCRIPTS
def test_a_rep_who_leaves_is_deactivated_and_their_leads_go_to_others(
    open_page: OpenPage, console: Console, *, scripts: bool
) -> None:
    handoff = assigned(console, country="DE", employees=9_000)
    row = f"#rep-{handoff['rep']}"
    page = open_page(java_script_enabled=scripts)
    with console.world.same_reps_after():
        page.goto("/reps")
        page.locator(row).locator("summary", has_text="Deactivate").click()
        page.locator(row).get_by_label("Why").fill("moves to Lisbon")
        page.locator(row).get_by_role("button", name="Deactivate").click()

        expect(heading(page, "Re-route")).to_be_visible()
        expect(status(page)).to_contain_text("is inactive: take them out of the file of reps, too.")
        expect(page.get_by_role("main")).to_contain_text("moves to Lisbon")
        press(page, re.compile("^Confirm: move"))
        expect(status(page)).to_contain_text("Confirmed")
        expect_in_time(page.locator("#live"), "done", scripts=scripts)

        page.goto("/reps")
        expect(page.locator(row)).to_have_count(0)
        page.get_by_label("with inactive reps").check()
        press(page, "Show")
        expect(page.locator(row)).to_contain_text("inactive")
        page.goto(f"/handoffs/{handoff['id']}")
        expect(page.get_by_role("region", name="What happened")).to_contain_text("moves to Lisbon")


@SCRIPTS
def test_an_endpoint_is_deleted(open_page: OpenPage, console: Console, *, scripts: bool) -> None:
    page = open_page(java_script_enabled=scripts)
    with console.world.same_reps_after():
        page.goto("/deliveries?all=1")
        page.locator("#delete-team-enterprise summary").click()
        press(page, "Delete for good team/enterprise")

        expect(status(page)).to_contain_text("team/enterprise is deleted")
        page.goto("/deliveries?all=1")
        expect(page.get_by_role("region", name="Endpoints")).to_contain_text("rep/amira")
        expect(page.locator("#delete-team-enterprise")).to_have_count(0)


@SCRIPTS
def test_a_re_route_that_runs_is_cancelled(
    open_page: OpenPage, console: Console, *, scripts: bool
) -> None:
    handoff = assigned(console)
    page = open_page(java_script_enabled=scripts)
    page.goto(f"/handoffs?rep={handoff['rep']}")
    press(page, "Plan a re-route")
    with console.world.suspended(ROUTING_WORKER):
        press(page, re.compile("^Confirm: move"))
        expect(status(page)).to_contain_text("Confirmed")
        expect(page.locator("#live")).to_contain_text("running")
        press(page, "Cancel")
        expect(status(page)).to_have_text("Cancelled: what was moved stays where it is.")
        expect(page.locator("#live")).to_contain_text("cancelled")
        expect(page.get_by_role("main").get_by_role("button")).to_have_count(0)
        now = console.world.get(ROUTING_API, f"/v1/handoffs/{handoff['id']}")
        assert (now["rep"], now["hop"]) == (handoff["rep"], handoff["hop"])
