"""Signing in with a key and with a link, and signing out, with and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.people import Console

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])


def sign_in(page: Page, key: str) -> None:
    page.get_by_label("Key of ops or of a rep").fill(key)
    page.get_by_role("button", name="Sign in").click()


@SCRIPTS
def test_a_key_signs_in_and_leads_to_the_page_that_was_asked_for(
    open_page: OpenPage, console: Console, *, scripts: bool
) -> None:
    page = open_page(by=None, java_script_enabled=scripts)
    page.goto("/?from=mail")
    sign_in(page, console.world.keys["ops"])

    expect(page).to_have_url(f"{console.url}/?from=mail")
    page.get_by_role("button", name="Sign out").click()
    page.goto("/")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


@SCRIPTS
def test_a_link_signs_in_once(open_page: OpenPage, console: Console, *, scripts: bool) -> None:
    link = console.link()
    for is_first in (True, False):
        page = open_page(by=None, java_script_enabled=scripts)
        page.goto(link)
        if not scripts:
            page.get_by_role("button", name="Open the console").click()
        if is_first:
            expect(page.get_by_role("heading", name="Now", level=1)).to_be_visible()
            assert "token=" not in page.url
        else:
            expect(page.get_by_role("alert")).to_be_visible()


def test_a_rep_signs_in_with_a_link_of_their_own(open_page: OpenPage, console: Console) -> None:
    page = open_page(by=None)
    page.goto(console.link("--rep", "amira"))

    expect(page.get_by_role("banner")).to_contain_text("amira")


def test_a_wrong_key_is_refused_in_words(open_page: OpenPage) -> None:
    page = open_page(by=None)
    page.goto("/sign-in")
    sign_in(page, "lb_ops_no_such_key")

    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
