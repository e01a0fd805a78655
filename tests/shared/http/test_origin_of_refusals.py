"""Pages of browsers may read what a request is refused with that never came whole: raw sockets, a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.serving import serving
from tests.shared.http.test_connection import (
    HEAD,
    SHORT_LIMITS,
    connect,
    echo,
    error_response,
    rest_of,
    status_of,
)

SITE = b"origin: https://www.example.com\r\n"


@pytest.fixture(scope="module")
def impatient() -> Iterator[int]:
    """The port of a server that waits for 0.4 s."""
    with serving(echo(), SHORT_LIMITS) as url:
        yield int(url.rpartition(":")[2])


@pytest.mark.parametrize(
    ("parts", "status", "readable"),
    [
        ([HEAD + SITE + b"x"], 408, True),
        ([HEAD + SITE + b"content-length: 9\r\n\r\nabc"], 408, True),
        ([HEAD + SITE + b"x: 1\r\n" * 101 + b"\r\n"], 431, True),
        ([HEAD + b"x: 1\r\n" * 101 + SITE + b"\r\n"], 431, True),
        ([HEAD + SITE + b"x: " + b"a" * 70_000], 431, True),
        ([HEAD + SITE + b"transfer-encoding: chunked\r\n\r\n", b"zz\r\n"], 400, True),
        ([HEAD + SITE + b"x: 1\r\n\0: 1\r\n\r\n"], 400, True),
        ([HEAD + b"x: " + b"a" * 70_000 + b"\r\n" + SITE + b"\r\n"], 431, False),
        ([HEAD + b"content-length: 9\r\n\r\nabc"], 408, False),
        ([HEAD + b"origin: https://www.exam"], 408, False),
        ([b"hello\r\n\r\n"], 400, False),
    ],
    ids=[
        "head", "body", "fields", "fields before", "bytes", "chunk", "no field",
        "behind", "no page", "half", "no request",
    ],
)  # fmt: skip
def test_a_page_may_read_a_refusal_if_the_origin_came(
    impatient: int, parts: list[bytes], *, status: int, readable: bool
) -> None:
    answer = error_response(impatient, parts)
    last = answer[answer.rindex(b"HTTP/1.1 %d" % status) :]
    for field in (
        b"\r\naccess-control-allow-origin: https://www.example.com\r\n",
        b"\r\naccess-control-expose-headers: retry-after\r\n",
        b"\r\nvary: origin\r\n",
    ):
        assert (field in last) is readable


@pytest.mark.parametrize("start", [HEAD + b"x", b"\r\n" * 40_000], ids=["head", "blank lines"])
def test_the_origin_of_one_request_is_not_that_of_the_next(impatient: int, start: bytes) -> None:
    with connect(impatient) as client:
        client.sendall(HEAD + SITE + b"content-length: 0\r\n\r\n")
        assert b"200 OK" in client.recv(65_536)
        client.sendall(start)
        answer = rest_of(client)
    assert status_of(answer) in (408, 431)
    assert b"access-control-allow-origin" not in answer
