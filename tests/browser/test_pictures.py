"""The pictures of the README, taken of the demonstration: `make pictures` takes them anew."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.watching import evaluate
from tests.conftest import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

PICTURES = ROOT / "docs" / "pictures"
LINK = re.compile(r"http://\S+/sign-in\?token=\S+")
IS_OVER = "One lead, all the way"
"""What the demonstration prints once somebody was too late."""


@contextmanager
def demonstration(data: Path) -> Iterator[str]:
    """The demonstration, once its summary is printed; the link that opens its console."""
    process = subprocess.Popen(
        [sys.executable, "-m", "services.cli", "demo", "--data", str(data)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    printed = ""
    try:
        for line in process.stdout:
            printed += line
            if IS_OVER in line:
                break
        link = LINK.search(printed)
        assert link is not None, printed
        yield link.group()
    finally:
        process.terminate()
        process.communicate(timeout=60)


def open_story(page: Page) -> None:
    """Open the story of a lead whose rep was too late."""
    page.get_by_role("region", name="Open breaches").locator("tbody a").first.click()
    page.get_by_role("link", name="The lead's story").click()
    expect(page.get_by_role("heading", name="The story, oldest first")).to_be_visible()
    page.locator("summary", has_text="Assigned to").last.click()


def take(page: Page, name: str) -> None:
    """Take a picture of what the window shows."""
    evaluate(page, "document.activeElement?.blur()")
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / name)


@pytest.mark.skipif("LEADBATON_PICTURES" not in os.environ, reason="`make pictures` takes them")
def test_pictures_are_taken_of_the_demonstration(browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, locale="en-GB", color_scheme="light"
    )
    page = context.new_page()
    with demonstration(tmp_path / "data") as link:
        page.goto(link)
        expect(page.get_by_role("heading", name="Now", level=1)).to_be_visible()
        expect(
            page.get_by_role("region", name="Open breaches").locator("tbody tr")
        ).not_to_have_count(0)
        take(page, "board.png")
        open_story(page)
        take(page, "story.png")
        context.close()
