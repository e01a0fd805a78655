"""Calls to addresses that others chose: checked, connected to as checked, never redirected, never long."""

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
"""How long the body of an answer is waited for, once its head is there: it explains, and decides nothing."""
MAX_BYTES = 16_384
"""How much of an answer is read before the connection is closed."""

SEVERAL = 64
"""So many clients as one."""

BROKEN = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, ValueError)
"""What a call that fails on its way raises; time-outs are OSErrors, names that are no names ValueErrors."""


class ForbiddenAddress(Rejected):
    """The URL leads to where webhooks must not go."""

    code: ClassVar[str] = "forbidden_address"


def check_url(url: str, policy: Policy) -> None:
    """Raise ForbiddenAddress if the URL may not be called; a name that does not resolve now may do so later."""
    try:
        resolve(policy.check_url(url), policy=policy)
    except SSRFGuardError as refused:
        raise ForbiddenAddress(explained(refused)) from None
    except (socket.gaierror, UnicodeError):
        return


def explained(refused: SSRFGuardError) -> str:
    """Why it was refused, and the settings that allow it."""
    return f"{refused}; {ALLOW_NETWORKS} and {ALLOW_PORTS} list what webhooks may reach besides public addresses"


class Clients:
    """Several guarded clients as one: whoever asks for the same place gets the same one.

    For every request httpx looks at every connection that its client keeps; among 64 of them that takes as long as
    all else together.
    """

    def __init__(self, policy: Policy, *, connections: int) -> None:
        tls = httpx.create_ssl_context(trust_env=False)
        self._clients = [
            guarded_client(policy, connections=connections, tls=tls) for _ in range(SEVERAL)
        ]

    def to(self, endpoint: str) -> httpx.AsyncClient:
        """The client for this endpoint."""
        return self._clients[crc32(endpoint.encode()) % SEVERAL]

    async def __aenter__(self) -> Clients:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients:
            await client.aclose()


def guarded_client(
    policy: Policy, *, connections: int, tls: ssl.SSLContext | None = None
) -> httpx.AsyncClient:
    """A client that connects to the address it checked; it follows no redirect and no proxy."""
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
    """What came in time of the first 16 KB of a streamed answer, which is then closed, however it breaks off."""
    read = bytearray()
    with suppress(*BROKEN):
        async with asyncio.timeout(within_s):
            async for part in response.aiter_raw():
                read += part
                if len(read) >= MAX_BYTES:
                    break
    with suppress(*BROKEN):
        async with asyncio.timeout(within_s):
            await response.aclose()
    return bytes(read[:MAX_BYTES])
