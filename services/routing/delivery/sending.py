"""One try: signed, sent through the guarded client, and what came back as a value."""

from __future__ import annotations

import asyncio

import httpx
from ssrfguard import SSRFGuardError

from services.routing.domain.tries import Response
from shared.http.outbound import explained, head_of

MOST_KEPT = 500
"""How many characters of an answer are kept with the attempt."""


async def send(
    client: httpx.AsyncClient, url: str, *, headers: dict[str, str], body: bytes, within_s: float
) -> Response:
    """Post it once. Whatever goes wrong on the way is an outcome, not an error."""
    try:
        async with (
            asyncio.timeout(within_s),
            client.stream("POST", url, content=body, headers=headers) as response,
        ):
            said = await head_of(response)
    except TimeoutError:
        return Response(None, f"no answer within {within_s:g} s")
    except SSRFGuardError as refused:
        return Response(None, explained(refused)[:MOST_KEPT])
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as wrong:
        return Response(None, f"{type(wrong).__name__}: {wrong}"[:MOST_KEPT])
    text = said.decode("utf-8", "replace").replace("\x00", "")
    return Response(response.status_code, text[:MOST_KEPT], response.headers.get("retry-after"))
