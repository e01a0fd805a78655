"""The FastAPI app that every API starts from, with errors, keys, limits, probes and metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.responses import Response

from shared.auth.key_cache import KeyCache
from shared.clock import TimeSource, utc_now
from shared.db.session import Sessions
from shared.http import own_key, probes
from shared.http.body import BodyReader
from shared.http.direct_routes import DirectRoutes, Posts
from shared.http.event_stream import OpenStreams
from shared.http.media import not_json_error, unreadable_body_error
from shared.http.openapi import DescribedApp
from shared.http.problems import (
    EXPECTED_ERRORS,
    InvalidRequest,
    ReadableErrors,
    cors_headers,
    error_response,
    problem,
    problem_response,
)
from shared.http.reference import reference
from shared.http.repeated_parameters import refuse_repeated_parameters
from shared.http.request_log import RequestLog
from shared.text import fault_text

Check = Callable[[], None]
"""A readiness check: it raises an error while something that the API needs is away."""

NO_FASTAPI_TELEMETRY = TelemetryConfig(
    tracing=False, metrics=False, logs=False, auto_configure=False
)
"""FastAPI's own telemetry contains queries and bodies, which hold personal data. `RequestLog` is used instead."""

UNREADABLE_BODY = "the body cannot be read: it is not UTF-8, is nested too deeply, or has a number of too many digits"

MAX_FAULTS = 20
"""A response names this many faults of a request at most."""

MAX_FAULT_CHARACTERS = 200
"""A response repeats a text of the request up to this length."""


def create_app(
    *,
    title: str,
    summary: str,
    sessions: Sessions,
    time_source: TimeSource = utc_now,
    checks: Mapping[str, Check] = {},
    max_bytes: int = 1_000_000,
) -> FastAPI:
    """The app without routes of its own. It opens no connection before it serves, and never redirects.

    A request body may have `max_bytes`; `checks` are what `/readyz` asks besides the database. Bodies of requests
    without a key are read on the paths of `state.keyless_paths` only, and on those of direct routes.
    """
    app = DescribedApp(
        title=title,
        summary=summary,
        redirect_slashes=False,
        telemetry=NO_FASTAPI_TELEMETRY,
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(refuse_repeated_parameters)],
    )
    app.state.sessions, app.state.time_source = sessions, time_source
    keys = app.state.keys = KeyCache(sessions, time_source)
    app.state.streams = OpenStreams()
    app.state.changes = None  # until `main` has a source of them
    posts, keyless = Posts(), set[str]()
    app.state.posts, app.state.keyless_paths = posts, keyless
    app.add_middleware(DirectRoutes, posts=posts)
    app.add_middleware(
        BodyReader, max_bytes=max_bytes, keys=keys, posts=posts, keyless_paths=keyless
    )
    app.add_middleware(ReadableErrors)
    app.add_middleware(RequestLog, quiet=posts.keys())
    app.include_router(reference(app))
    app.include_router(own_key.router, prefix="/v1", tags=["key"])
    app.include_router(_probes({"database": probes.database_check(sessions), **checks}))
    _add_error_handlers(app)
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


def _add_error_handlers(app: FastAPI) -> None:
    async def expected_error(_: Request, error: Exception) -> Response:
        return error_response(error)

    for kind in EXPECTED_ERRORS:
        app.add_exception_handler(kind, expected_error)

    @app.exception_handler(RequestValidationError)
    async def invalid_request(request: Request, error: RequestValidationError) -> Response:
        body_error = unreadable_body_error(request.scope, error)
        return _validation_problem(error) if body_error is None else problem(body_error)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 400:  # FastAPI answers 400 for every body that it fails to read
            return problem(not_json_error(request.scope, UNREADABLE_BODY))
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
        message = _paths(app) if error.status_code == 404 else str(error.detail)
        return problem_response(error.status_code, code, message, dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def bug(request: Request, _: Exception) -> Response:
        origin = request.headers.get("origin")  # this response passes no middleware
        headers = cors_headers(origin) if origin is not None else None
        return problem_response(
            500, "internal", "this is a fault of Leadbaton: its log has the details", headers
        )


def _paths(app: FastAPI) -> str:
    paths = ", ".join(app.openapi()["paths"])
    return f"there is nothing at this path; the paths are {paths} (described at /docs)"


def _validation_problem(error: RequestValidationError) -> Response:
    faults = error.errors()
    first_faults = [
        {
            "where": _shortened(".".join(map(str, it["loc"]))),
            "what": _shortened(fault_text(it["msg"])),
        }
        for it in faults[:MAX_FAULTS]
    ]
    message = "; ".join(f"{it['where']}: {it['what']}" for it in first_faults)
    if len(faults) > MAX_FAULTS:
        message += f"; and {len(faults) - MAX_FAULTS} more"
    return problem(InvalidRequest(message), faults=first_faults)


def _shortened(text: str) -> str:
    """The text, cut after MAX_FAULT_CHARACTERS."""
    return text if len(text) <= MAX_FAULT_CHARACTERS else text[: MAX_FAULT_CHARACTERS - 1] + "…"
