"""Segment's browser client with the code of docs/connect.md, in a page of another origin than the API's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser

from services.cli.processes import SCORING_API
from tests.browser.people import Console
from tests.journey.test_connect import NODE_PACKAGES, code_of
from tests.journey.world import until

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

CLIENT = "@segment/analytics-next"
IMPORT = 'import { AnalyticsBrowser } from "@segment/analytics-next";'
PAGE = """
<!doctype html>
<title>A page</title>
<script src="client/index.js"></script>
<script type="module" src="page.js"></script>
"""


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def site(folder: Path) -> Iterator[str]:
    """The origin of a web server that serves the folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_QuietHandler, directory=str(folder)))
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_segments_browser_client_sends_from_a_page_of_an_allowed_origin(
    browser: Browser, console: Console, tmp_path: Path
) -> None:
    package = NODE_PACKAGES / CLIENT
    if not package.exists():
        pytest.skip(f"{CLIENT} is not installed in .cache/node")
    (tmp_path / "client").symlink_to(package / "dist" / "umd")
    (tmp_path / "index.html").write_text(PAGE)
    email = console.world.fresh("browser")
    installation = console.world.installation
    with site(tmp_path) as origin:
        options = ("--scope", "ingest", "--subject", "shop", "--origin", origin)
        key = installation.command("keys", "create", *options).strip()
        _, code = code_of(CLIENT)
        assert IMPORT in code
        for example, value in {
            IMPORT: "const { AnalyticsBrowser } = window.AnalyticsNext;",
            "127.0.0.1:8001": installation.url(SCORING_API).removeprefix("http://"),
            "lb_ingest_…": key,
            "ines@tidewater-analytics.com": email,
        }.items():
            code = code.replace(example, value)
        (tmp_path / "page.js").write_text(code)
        page = browser.new_page()
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.goto(origin)
        lead = until(lambda: console.world.lead(email), why="the lead")
        path = f"/v1/leads/{lead['id']}/events"
        until(lambda: len(console.world.get(SCORING_API, path)["items"]) == 2, why="both events")
        page.close()

    by_type = {it["type"]: it for it in console.world.get(SCORING_API, path)["items"]}
    assert set(by_type) == {"identified", "demo_requested"}
    assert by_type["demo_requested"]["context"]["page"]["title"] == "A page"
    assert any(it.startswith("anonymous/shop/") for it in lead["identities"])
    ours = (origin, installation.url(SCORING_API))
    assert [it for it in requests if not it.startswith(ours)] == []
