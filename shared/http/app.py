"""The app that every API here starts from: problems, keys, limits, probes, metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.responses import Response

from shared.auth.key_cache import KeyCache
from shared.clock import TimeSource, utc_now
from shared.db.session import Sessions
from shared.http import probes
from shared.http.body import PlainBody
from shared.http.cors import Readable, readable_by
from shared.http.direct_routes import DirectRoutes, Posts
from shared.http.media import not_json, refused_body
from shared.http.openapi import DescribedApp
from shared.http.problems import (
    FORESEEN,
    InvalidRequest,
    answer_to,
    problem,
    problem_response,
)
from shared.http.reference import reference
from shared.http.request_log import Observed

Check = Callable[[], None]
"""Raises what is wrong."""

UNTOLD = TelemetryConfig(tracing=False, metrics=False, logs=False, auto_configure=False)
"""FastAPI's own telemetry tells queries and bodies, which name people: `observed` tells what may be told."""

UNREADABLE = "the body cannot be read: it is not UTF-8, is nested too deeply, or has a number of too many digits"

MAX_FAULTS = 20
"""So many faults of one request are named."""

MAX_FAULT_CHARACTERS = 200
"""A name that a caller made up is repeated so far."""


def create_app(
    *,
    title: str,
    summary: str,
    sessions: Sessions,
    time_source: TimeSource = utc_now,
    checks: Mapping[str, Check] = {},
    max_bytes: int = 1_000_000,
) -> FastAPI:
    """An app without routes of its own; nothing is opened until it serves. It never redirects."""
    app = DescribedApp(
        title=title,
        summary=summary,
        redirect_slashes=False,
        telemetry=UNTOLD,
        docs_url=None,
        redoc_url=None,
    )
    app.state.sessions = sessions
    app.state.time_source = time_source
    keys = app.state.keys = KeyCache(sessions, time_source)
    posts: Posts = {}
    app.state.posts = posts
    app.add_middleware(DirectRoutes, posts=posts)
    app.add_middleware(PlainBody, max_bytes=max_bytes, keys=keys, posts=posts)
    app.add_middleware(Readable)
    app.add_middleware(Observed, quiet=posts.keys())
    app.include_router(reference(app))
    app.include_router(_probes({"database": probes.database(sessions), **checks}))
    _tell_errors(app)
    return app


def _probes(checks: Mapping[str, Check]) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def healthz() -> Response:
        return Response("ok", media_type="text/plain")

    @router.get("/readyz")
    def readyz() -> Response:
        return Response(*probes.readiness(checks))

    @router.get("/metrics")
    def metrics() -> Response:
        return Response(*probes.metrics())

    return router


def _tell_errors(app: FastAPI) -> None:
    async def foreseen(_: Request, error: Exception) -> Response:
        return answer_to(error)

    for kind in FORESEEN:
        app.add_exception_handler(kind, foreseen)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        refused = refused_body(request.scope, error)
        return _invalid(error) if refused is None else problem(refused)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 400:  # FastAPI's word for every body that it fails to read
            return problem(not_json(request.scope, UNREADABLE))
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
        message = _paths(app) if error.status_code == 404 else str(error.detail)
        return problem_response(error.status_code, code, message, dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def bug(request: Request, _: Exception) -> Response:
        origin = request.headers.get("origin")  # no middleware sees this answer
        headers = readable_by(origin) if origin is not None else None
        return problem_response(
            500, "internal", "this is a fault of ours; it is in the log", headers
        )


def _paths(app: FastAPI) -> str:
    paths = ", ".join(app.openapi()["paths"])
    return f"there is nothing at this path; the paths are {paths} (described at /docs)"


def _invalid(error: RequestValidationError) -> Response:
    faults = error.errors()
    first_faults = [
        {"where": _shortened(".".join(map(str, it["loc"]))), "what": _shortened(it["msg"])}
        for it in faults[:MAX_FAULTS]
    ]
    message = "; ".join(f"{it['where']}: {it['what']}" for it in first_faults)
    if len(faults) > MAX_FAULTS:
        message += f"; and {len(faults) - MAX_FAULTS} more"
    return problem(InvalidRequest(message), faults=first_faults)


def _shortened(text: str) -> str:
    """The text, or its beginning: an answer does not repeat all that was sent."""
    return text if len(text) <= MAX_FAULT_CHARACTERS else text[: MAX_FAULT_CHARACTERS - 1] + "…"
