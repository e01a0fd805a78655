"""Pages, style sheet and script are sent compressed; event streams and what is small are not."""

from __future__ import annotations

import httpx
import pytest

from shared.db.session import Sessions
from tests.services.console.site import running_console, token_in

pytestmark = pytest.mark.postgres

MAX_FIRST_PAGE = 60_000
"""What the first page may weigh with all that it loads."""


def sent_bytes(client: httpx.Client, path: str, encoding: str) -> tuple[str | None, int]:
    """The encoding of the response, and how many bytes of its body were sent."""
    with client.stream("GET", path, headers={"accept-encoding": encoding}) as response:
        response.read()
        return response.headers.get("content-encoding"), response.num_bytes_downloaded


@pytest.mark.parametrize("path", ["/", "/static/console.css", "/static/console.js"])
def test_a_browser_gets_pages_and_files_compressed_and_others_get_them_plain(
    sessions: Sessions, path: str
) -> None:
    with running_console(sessions) as console, console.visit() as client:
        encoding, compressed = sent_bytes(client, path, "gzip")
        no_encoding, plain = sent_bytes(client, path, "identity")

    assert (encoding, no_encoding) == ("gzip", None)
    assert compressed < plain / 2


def test_the_first_page_comes_with_all_that_it_loads_in_60_kb(sessions: Sessions) -> None:
    with running_console(sessions) as console, console.visit() as client:
        paths = ("/", "/static/console.css", "/static/console.js")
        total = sum(sent_bytes(client, path, "gzip")[1] for path in paths)

    assert total <= MAX_FIRST_PAGE


def test_a_stream_and_what_is_small_are_sent_as_they_are(sessions: Sessions) -> None:
    with running_console(sessions) as console, console.visit() as client:
        headers = {"accept-encoding": "gzip"}
        with client.stream("GET", "/live?view=%2F", headers=headers) as stream:
            assert stream.status_code == 200
            assert "content-encoding" not in stream.headers
            assert next(stream.iter_raw()).startswith(b":")
        assert "content-encoding" not in client.get("/healthz", headers=headers).headers


def test_each_page_has_a_token_of_its_own_and_every_one_is_good(sessions: Sessions) -> None:
    with running_console(sessions) as console, console.visit() as client:
        first, second = (token_in(client.get("/").text) for _ in range(2))
        assert first != second
        assert client.post("/sign-out", data={"token": first}).headers["location"] == "/sign-in"
