"""HTTP calls to URLs that users chose, within limits: the address that was checked is the one connected to."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from typing import ClassVar
from zlib import crc32

import httpx
from ssrfguard import Policy, SSRFGuardError, resolve
from ssrfguard.httpx import AsyncClient

from shared.errors import Rejected
from shared.process.destinations import ALLOW_NETWORKS, ALLOW_PORTS

CONNECT_S = 5.0
TOTAL_S = 15.0
BODY_S = 1.0
"""How long the body of a response may take after its head. The body is only shown, it decides nothing."""
MAX_BYTES = 16_384
"""How much of a response is read before the connection is closed."""

CLIENT_COUNT = 64
"""The number of clients among which `Clients` distributes the endpoints."""

CALL_ERRORS = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, ValueError)
"""The errors of a failed call; a timeout is an OSError, an invalid host name a ValueError."""


class ForbiddenAddress(Rejected):
    """The URL leads to an address or a port that webhooks must not reach."""

    code: ClassVar[str] = "forbidden_address"


def check_url(url: str, policy: Policy) -> None:
    """Raise ForbiddenAddress if the URL may not be called. A name that does not resolve is accepted: it may later."""
    try:
        resolve(policy.check_url(url), policy=policy)
    except SSRFGuardError as refusal:
        raise ForbiddenAddress(refusal_reason(refusal)) from None
    except (socket.gaierror, UnicodeError):
        return


def refusal_reason(refusal: SSRFGuardError) -> str:
    """Why the URL was refused, and which settings allow it."""
    return f"{refusal}; {ALLOW_NETWORKS} and {ALLOW_PORTS} list what webhooks may reach besides public addresses"


class Clients:
    """Several guarded clients; calls to one endpoint use the same client.

    For every request httpx looks at every connection that its client keeps. With all connections in one client that
    took as long as everything else in a call.
    """

    def __init__(self, policy: Policy, *, connections: int) -> None:
        tls = httpx.create_ssl_context(trust_env=False)
        self._clients = [
            guarded_client(policy, connections=connections, tls=tls) for _ in range(CLIENT_COUNT)
        ]

    def to(self, endpoint: str) -> httpx.AsyncClient:
        """The client for this endpoint."""
        return self._clients[crc32(endpoint.encode()) % CLIENT_COUNT]

    async def __aenter__(self) -> Clients:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients:
            await client.aclose()


def guarded_client(
    policy: Policy, *, connections: int, tls: ssl.SSLContext | None = None
) -> httpx.AsyncClient:
    """A client that connects to the address that it has checked, and uses no redirect and no proxy."""
    return AsyncClient(
        policy=policy,
        verify=tls or True,
        follow_redirects=False,
        trust_env=False,
        timeout=httpx.Timeout(TOTAL_S, connect=CONNECT_S),
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        headers={"accept-encoding": "identity", "user-agent": "Leadbaton"},
    )


async def head_of(response: httpx.Response, *, within_s: float = BODY_S) -> bytes:
    """The bytes of a streamed response that arrive in time, MAX_BYTES at most. The response is then closed."""
    read = bytearray()
    with suppress(*CALL_ERRORS):
        async with asyncio.timeout(within_s):
            async for part in response.aiter_raw():
                read += part
                if len(read) >= MAX_BYTES:
                    break
    with suppress(*CALL_ERRORS):
        async with asyncio.timeout(within_s):
            await response.aclose()
    return bytes(read[:MAX_BYTES])
