"""The page of running promises while there are some under an older version, and after it was applied."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from services.cli.processes import SLA_API
from tests.browser.conftest import OpenPage
from tests.browser.people import EXAMPLES, Console
from tests.browser.watching import (
    DESKTOP,
    PHONE,
    axe_violations,
    broken_words,
    overflow_px,
    scrolling_boxes,
    take_screenshot,
)
from tests.journey.world import until

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

PATH = "/sla/applications"


@pytest.fixture(scope="module")
def newer_agreement(
    console: Console, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Console]:
    """The console after a version in which promises of ten seconds have 20 hours; then the first again."""
    source = (EXAMPLES / "agreement.yaml").read_text()
    folder = tmp_path_factory.mktemp("agreements")
    later, before = folder / "later.yaml", folder / "before.yaml"
    later.write_text(source.replace("target: 10s", "target: 20h"))
    before.write_text(f"{source}# As before.\n")
    handoff = console.ask("applications", name="Nadia <b>Ruiz</b>")
    publish = console.world.command
    publish("agreement", "publish", str(later))
    until(lambda: _clocks(console), why=f"a promise on {handoff['id']} is of an older version")
    yield console
    publish("agreement", "publish", str(before))


def _clocks(console: Console) -> int:
    return int(console.world.get(SLA_API, "/v1/sla/applications/preview")["clocks"])


@pytest.mark.usefixtures("newer_agreement")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_running_promises_are_accessible_and_fit(
    open_page: OpenPage, scheme: str, width: int
) -> None:
    page = open_page(width=width, color_scheme=scheme)
    page.goto(PATH)
    expect(page.get_by_role("button", name="Apply version")).to_be_visible()
    expect(page.locator('tr[id^="example-"]').first).to_be_visible()
    take_screenshot(page, f"sla_applications_filled-{scheme}-{width}")

    assert axe_violations(page) == []
    assert overflow_px(page) <= 0
    assert broken_words(page) == []
    if width == PHONE:
        assert scrolling_boxes(page) == []
