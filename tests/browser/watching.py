"""Pages of the browser that note what must not happen, and what axe finds in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response

DESKTOP, PHONE = 1280, 375
"""Widths in CSS pixels."""
ZONE = "Europe/Berlin"
SHOTS = Path(__file__).parents[2] / ".cache" / "screenshots"
"""Where screenshots go; git ignores it."""

FAILED_TO_LOAD = "Failed to load resource"
"""What Chromium writes for each response of 4xx and 5xx: tests look at the status themselves."""
REPORT = """
    document.addEventListener("securitypolicyviolation", (event) =>
        window.reportViolation(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));
"""


class Watched:
    """A context of the browser with one page, for one installation; `faults` has what its test must not cause."""

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        self.faults: list[str] = []
        self._host = urlsplit(url).netloc
        width = options.pop("width", DESKTOP)
        self.context: BrowserContext = browser.new_context(
            base_url=url,
            viewport={"width": width, "height": 800},
            locale="en-GB",
            timezone_id=ZONE,
            reduced_motion="reduce",
            **options,
        )
        self.context.set_default_timeout(10_000)
        self.context.expose_function("reportViolation", self._note_violation)
        self.context.add_init_script(REPORT)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._note_message)
        self.page.on("pageerror", lambda error: self.faults.append(f"error in a script: {error}"))
        self.page.on("request", self._note_request)
        self.page.on("response", self._note_response)

    def _note_violation(self, report: str) -> None:
        self.faults.append(f"violates the content security policy: {report}")

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(FAILED_TO_LOAD):
            self.faults.append(f"console: {message.text}")

    def _note_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob", "about"} and parts.netloc != self._host:
            self.faults.append(f"a request to another host: {request.url}")

    def _note_response(self, response: Response) -> None:
        if response.status >= 400 and response.request.resource_type != "document":
            self.faults.append(f"{response.status} for {response.url}")

    def close(self) -> None:
        """End the context; raises AssertionError if there were faults."""
        self.context.close()
        assert self.faults == []


def evaluate(page: Page, expression: str) -> Any:
    """The value of an expression in the page, by the browser's protocol, which the page's own policy does not bind."""
    session = page.context.new_cdp_session(page)
    answer = session.send(
        "Runtime.evaluate", {"expression": expression, "awaitPromise": True, "returnByValue": True}
    )
    session.detach()
    assert "exceptionDetails" not in answer, answer
    return answer["result"].get("value")


def axe_violations(page: Page) -> list[str]:
    """What axe finds, one line each."""
    evaluate(page, f"{Axe().axe_script}; null")
    result = evaluate(page, "axe.run(document, {resultTypes: ['violations']})")
    return [line for violation in result["violations"] for line in _lines(violation)]


def _lines(violation: dict[str, Any]) -> Sequence[str]:
    return [
        f"{violation['id']} ({violation['impact']}): {violation['help']}: {node['html'][:200]}"
        for node in violation["nodes"]
    ]


BROKEN_WORDS = """
    (() => {
        const broken = [];
        const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
            const node = walker.currentNode;
            for (const match of node.data.matchAll(/[^\\s\\/-]+/gu)) {
                if (match[0].length > 15 || node.parentElement.closest("pre, .unseen")) continue;
                const range = document.createRange();
                range.setStart(node, match.index);
                range.setEnd(node, match.index + match[0].length);
                const tops = [...range.getClientRects()].filter((it) => it.width).map((it) => Math.round(it.top));
                if (new Set(tops).size > 1) broken.push(match[0]);
            }
        }
        return broken;
    })()
"""


def broken_words(page: Page) -> list[str]:
    """The short words that stand on two lines."""
    return list(evaluate(page, BROKEN_WORDS))


def overflow_px(page: Page) -> int:
    """How many pixels the page is wider than the window."""
    root = "document.documentElement"
    return int(evaluate(page, f"{root}.scrollWidth - {root}.clientWidth"))


SCROLLING_BOXES = """
    [...document.querySelectorAll("main .scroll")]
        .map((it) => [it.ariaLabel || it.getAttribute("aria-labelledby"), it.scrollWidth - it.clientWidth])
        .filter(([name, hidden]) => hidden > 1)
        .map(([name, hidden]) => `${name}: ${hidden}`)
"""
"""Texts for screen readers are a pixel wide, and may stand at the edge."""


def scrolling_boxes(page: Page) -> list[str]:
    """The tables that are wider than their place, each with how many pixels of it are hidden."""
    return list(evaluate(page, SCROLLING_BOXES))


def take_screenshot(page: Page, name: str) -> None:
    """Write a picture of the whole page into the folder of screenshots."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)
