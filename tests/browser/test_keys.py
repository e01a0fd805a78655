"""The keys of every page, which can be switched off."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from services.console.pages import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

NAVIGATION = [(it.key, it.path) for it in PAGES if it.key and "ops" in it.scopes]


def test_a_question_mark_shows_the_keys_and_escape_closes_them(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_a_slash_leads_to_the_search_where_letters_are_written(page: Page) -> None:
    page.goto("/")
    search = page.get_by_role("searchbox")
    page.keyboard.press("/")
    expect(search).to_be_focused()
    page.keyboard.type("jonas /")
    expect(search).to_have_value("jonas /")
    page.keyboard.press("Escape")
    expect(search).not_to_be_focused()


@pytest.mark.parametrize(("key", "path"), NAVIGATION)
def test_g_and_a_letter_open_a_page(page: Page, key: str, path: str) -> None:
    page.goto("/no-such-page")
    page.keyboard.press("g")
    page.keyboard.press(key)
    page.wait_for_url(f"**{path}")


def test_rows_are_walked_and_opened_by_keys(page: Page) -> None:
    page.goto("/")
    rows = page.locator("main tbody tr:has(a[href])")
    for key, number in (("j", 0), ("j", 1), ("k", 0), ("ArrowDown", 1)):
        page.keyboard.press(key)
        expect(rows.nth(number).locator("a[href]").first).to_be_focused()
    target = rows.nth(1).locator("a[href]").first.get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{target}")


def test_single_letters_can_be_switched_off_for_good(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="Keys").click()
    page.get_by_label("Single letters are keys").uncheck()
    page.keyboard.press("Escape")
    for _ in range(2):
        page.keyboard.press("/")
        expect(page.get_by_role("searchbox")).not_to_be_focused()
        page.reload()
