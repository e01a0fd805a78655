"""Tests of calls to URLs that users chose."""

from __future__ import annotations

import asyncio
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_network

import pytest
from ssrfguard import SSRFGuardError

from shared.http.outbound import (
    MAX_BYTES,
    Clients,
    ForbiddenAddress,
    check_url,
    guarded_client,
    head_of,
)
from shared.process.destinations import destinations


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8010/x",
        "http://localhost/x",
        "http://169.254.169.254/latest/meta-data",
        "http://10.1.2.3/",
        "http://[::1]/",
        "http://2130706433/",
        "file:///etc/passwd",
        "https://user:pass@93.184.215.14/",
    ],
)
def test_private_and_odd_addresses_are_refused_and_the_setting_is_named(url: str) -> None:
    with pytest.raises(ForbiddenAddress, match="LEADBATON_ALLOW_NETWORKS"):
        check_url(url, destinations([]))


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8010/x", "https://93.184.215.14:8443/", "https://nowhere.invalid/"]
)
def test_public_and_allowed_addresses_pass_and_unknown_names_may_come_to_be(url: str) -> None:
    check_url(url, destinations([ip_network("127.0.0.0/8")]))


class _Endless(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"x" * 65_536)
        except OSError:
            return

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Log nothing."""


def test_no_more_is_read_of_an_answer_than_is_kept() -> None:
    server = HTTPServer(("127.0.0.1", 0), _Endless)
    thread = threading.Thread(target=server.handle_request)
    thread.start()

    async def read() -> bytes:
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        async with (
            guarded_client(destinations([ip_network("127.0.0.0/8")]), connections=1) as client,
            client.stream("POST", url) as response,
        ):
            return await head_of(response)

    assert asyncio.run(read()) == b"x" * MAX_BYTES
    thread.join()
    server.server_close()


def test_the_same_place_is_called_by_the_same_client_and_all_are_closed() -> None:
    async def compare_clients() -> tuple[bool, bool, bool]:
        async with Clients(destinations([]), connections=1) as clients:
            client, same_client = clients.to("rep/grace"), clients.to("rep/grace")
            others = [clients.to(f"rep/{number}") for number in range(99)]
        closed = all(it.is_closed for it in (client, *others))
        return client is same_client, any(it is not client for it in others), closed

    assert asyncio.run(compare_clients()) == (True, True, True)


@pytest.mark.parametrize(
    ("url", "reason"),
    [("http://93.184.215.14:22/", "port 22"), ("http://localhost:8010/", "127.0.0.1")],
)
def test_what_may_not_be_saved_is_not_called_either(url: str, reason: str) -> None:
    async def call() -> None:
        async with guarded_client(destinations([]), connections=1) as client:
            await client.post(url)

    with pytest.raises(SSRFGuardError, match=reason):
        asyncio.run(call())
