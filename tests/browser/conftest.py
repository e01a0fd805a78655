"""Headless Chromium, one filled installation, and pages whose faults fail their test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from shared.embedded.broker import Broker
from tests.browser.people import NAMES, Console, example_files, fill
from tests.browser.watching import PHONE, ZONE, Watched
from tests.journey.world import world

FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Chromium asks nothing of its maker; it needs no graphics card."""

OpenPage = Callable[..., Page]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Playwright keeps an event loop in this thread, so it ends with this folder's tests."""
    path = shutil.which("chromium")
    assert path is not None, "install Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """The console of an installation with leads in every state."""
    folder = tmp_path_factory.mktemp("browser")
    files = example_files(folder / "files")
    with world(folder / "data", Broker, files=files, names=NAMES) as running:
        fill(running)
        yield Console(running)


@pytest.fixture(scope="package")
def signed_in(browser: Browser, console: Console) -> dict[str, Any]:
    """The storage state of a browser, by scope, after signing in with a key."""
    states: dict[str, Any] = {}
    for subject in ("ops", "amira"):
        # the zone of all pages: else each would load twice, the second time in its zone
        context = browser.new_context(base_url=console.url, timezone_id=ZONE)
        page = context.new_page()
        page.goto("/sign-in")
        page.get_by_label("Key of ops or of a rep").fill(console.world.keys[subject])
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Sign out").wait_for()
        states[subject] = context.storage_state()
        context.close()
    return states


@pytest.fixture
def open_page(browser: Browser, console: Console, signed_in: dict[str, Any]) -> Iterator[OpenPage]:
    """Opens a page in a context of its own: `by` has signed in, `width`, `color_scheme`, `java_script_enabled`."""
    watched: list[Watched] = []

    def open_(by: str | None = "ops", **options: Any) -> Page:
        state = {} if by is None else {"storage_state": signed_in[by]}
        watched.append(Watched(browser, console.url, **state, **options))
        return watched[-1].page

    yield open_
    for context in watched:
        context.close()


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A page of ops on a desktop."""
    return open_page()


@pytest.fixture
def phone(open_page: OpenPage) -> Page:
    """A page of ops on a phone."""
    return open_page(width=PHONE)
