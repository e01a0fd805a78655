"""One try, sent through the guarded client, and what came back as a value."""

from __future__ import annotations

import asyncio

import httpx
from ssrfguard import SSRFGuardError

from services.routing.domain.attempts import Response
from shared.http.outbound import BROKEN, explained, head_of
from shared.text import storable

MAX_KEPT = 500
"""How many characters of an answer are kept with the attempt."""


async def send(
    client: httpx.AsyncClient, url: str, *, headers: dict[str, str], body: bytes, within_s: float
) -> Response:
    """Post it once. Whatever goes wrong on the way is an outcome, not an error.

    Once the head of the answer is there its status decides, whatever becomes of the body.
    """
    try:
        async with asyncio.timeout(within_s):
            request = client.build_request("POST", url, content=body, headers=headers)
            answer = await client.send(request, stream=True)
    except TimeoutError:
        return Response(None, f"no answer within {within_s:g} s")
    except SSRFGuardError as refused:
        return Response(None, kept(explained(refused)))
    except BROKEN as wrong:
        return Response(None, kept(f"{type(wrong).__name__}: {wrong}"))
    head = await head_of(answer)
    return Response(
        answer.status_code, kept(head.decode("utf-8", "replace")), answer.headers.get("retry-after")
    )


def kept(text: str) -> str:
    """As much of the text as is kept with the attempt, as it can be stored."""
    return storable(text[:MAX_KEPT])
