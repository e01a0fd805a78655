"""What the journeys through the console have in common: what a visitor does, and what is seen."""

from __future__ import annotations

import re
from itertools import count
from time import monotonic
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.people import Console
from tests.journey.world import Json

SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
PATIENCE_S = 20
numbers = count(1)


def heading(page: Page, name: str | re.Pattern[str]) -> Locator:
    """The title of the page."""
    return page.get_by_role("heading", level=1, name=name)


def status(page: Page) -> Locator:
    """The line on what was done."""
    return page.get_by_role("status")


def assigned(console: Console, **traits: Any) -> Json:
    """The handoff of a person who is new."""
    number = next(numbers)
    return console.ask(f"journey-{number}", name=f"Journey {number}", **traits)


def put(page: Page, label: str, text: str) -> None:
    """Write into a field of the content."""
    page.get_by_role("main").get_by_label(label, exact=True).fill(text)


def press(page: Page, button: str | re.Pattern[str]) -> None:
    """Press the button of the content that has this name."""
    page.get_by_role("main").get_by_role("button", name=button).first.click()


def expect_in_time(region: Locator, text: str, *, scripts: bool) -> None:
    """The region has the text within 20 s; without scripts the page is loaded again until it has."""
    end_s = monotonic() + PATIENCE_S
    while not scripts and monotonic() < end_s and text not in region.inner_text():
        region.page.reload()
    expect(region).to_contain_text(text, timeout=PATIENCE_S * 1_000)
