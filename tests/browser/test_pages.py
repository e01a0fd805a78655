"""Every page: in light and dark, on a desktop and a phone, with and without scripts, for ops and for a rep."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from playwright.sync_api import Page as BrowserPage
from playwright.sync_api import expect

from services.console.pages import PAGES
from services.console.pages.page import Page
from tests.browser.conftest import OpenPage
from tests.browser.people import Console
from tests.browser.watching import (
    DESKTOP,
    PHONE,
    axe_violations,
    broken_words,
    overflow_px,
    scrolling_boxes,
    take_screenshot,
)

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

WITHOUT_SCROLLING = {it.path for it in PAGES}
"""Pages whose tables are as wide as a phone, because people act on their rows."""

EVERY_PAGE = pytest.mark.parametrize("target", PAGES, ids=lambda it: it.path)


@pytest.fixture(scope="module")
def samples(console: Console) -> Mapping[str, Any]:
    """An id for each kind of page that has one in its path."""
    return console.samples()


def path_of(page: Page, samples: Mapping[str, Any]) -> str:
    """The path of the page, with an id in it where it has a variable part."""
    kind = page.path.split("/")[1]
    return re.sub(r"\{[^}]+\}", lambda _: str(samples[kind]), page.path)


def file_name(page: Page) -> str:
    return re.sub(r"\W+", "_", page.path).strip("_") or "now"


def visit(page: BrowserPage, path: str) -> None:
    response = page.goto(path)
    assert response is not None
    assert response.status == 200
    expect(page.get_by_role("heading", level=1)).to_be_visible()


@EVERY_PAGE
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_a_page_is_accessible_and_fits(
    open_page: OpenPage, samples: Mapping[str, Any], target: Page, scheme: str, width: int
) -> None:
    page = open_page(width=width, color_scheme=scheme)
    visit(page, path_of(target, samples))
    take_screenshot(page, f"{file_name(target)}-{scheme}-{width}")

    assert axe_violations(page) == []
    assert overflow_px(page) <= 0
    assert broken_words(page) == []
    if width == PHONE and target.path in WITHOUT_SCROLLING:
        assert scrolling_boxes(page) == []


@EVERY_PAGE
@pytest.mark.parametrize("by", ["ops", "amira"])
def test_a_page_works_without_scripts(
    open_page: OpenPage, samples: Mapping[str, Any], target: Page, by: str
) -> None:
    scope = "ops" if by == "ops" else "rep"
    if scope not in target.scopes:
        pytest.skip(f"a {scope} does not see this page")
    page = open_page(by=by, java_script_enabled=False)
    response = page.goto(path_of(target, samples))

    assert response is not None
    may_be_of_others = by != "ops" and "{" in target.path
    assert response.status in ({200, 403, 404} if may_be_of_others else {200})
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_a_page_that_is_not_there_says_how_to_go_on(page: BrowserPage) -> None:
    response = page.goto("/no-such-page")

    assert response is not None
    assert response.status == 404
    expect(page.get_by_role("main").get_by_role("link")).to_be_visible()
