"""The sender of a request: its ingest key, wherever the client puts it, and the site that a browser sends from."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from services.scoring.ingest.errors import OriginNotAllowed
from shared.auth.key_cache import KeyCache
from shared.auth.keys import Caller, KeyScope
from shared.auth.origins import normal_origin
from shared.http.dependencies import authorize
from shared.http.headers import header
from shared.http.problems import cors_headers


async def authenticate(request: Request, key: str | None) -> Caller:
    """The caller with this key; raises UnknownKey, ExpiredKey, WrongScope, OriginNotAllowed, DatabaseAway.

    A key that is in the cache is checked on the event loop, without a query.
    """
    keys: KeyCache = request.app.state.keys
    ingest_key = request.scope.get("key") or keys.cached(key)
    if ingest_key is None:
        ingest_key = await run_in_threadpool(keys.key, key)
    caller = authorize(ingest_key, KeyScope.INGEST)
    origin = header(request.scope, b"origin")
    if origin is not None:
        if origin not in ingest_key.origins and "*" not in ingest_key.origins:
            raise OriginNotAllowed(_unlisted_origin(origin, ingest_key.id))
        request.scope["origin"] = origin
    return caller


def _unlisted_origin(origin: str, key_id: str) -> str:
    try:
        site = normal_origin(origin)
    except ValueError:
        return f"the key {key_id} does not allow this page, which has no origin that a key can list: use a web site"
    return (
        f"the key {key_id} does not allow pages of {site}: `leadbaton keys origins {key_id} --add {site}` "
        "lets them send within half a minute"
    )


def write_key(content: object) -> str | None:
    """The key inside a body, as browsers send it; None if there is none, or it is masked."""
    key = content.get("writeKey") if isinstance(content, Mapping) else None
    return key if isinstance(key, str) and "*" not in key else None


def with_cors(request: Request, response: Response) -> Response:
    """The response, such that the page that sent the request may read it."""
    origin = request.scope.get("origin")
    if origin is not None:
        response.headers.update(cors_headers(origin))
    return response


def preflight(request: Request) -> Response:
    """The answer to a browser that asks whether it may send: yes, as it asks without the key that decides."""
    headers = {
        "access-control-allow-origin": request.headers.get("origin", "*"),
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": request.headers.get("access-control-request-headers", "*"),
        "access-control-max-age": "600",
        "vary": "origin",
    }
    return Response(status_code=204, headers=headers)
