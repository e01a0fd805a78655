"""The app: its routes, made from the pages and acts, and what every response carries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from services.console.apis import TIMEOUT, Connections, Service
from services.console.exports import export_route
from services.console.pages import ACTS, EXPORTS, PAGES
from services.console.routes import Handler, act_route, live_route, missing_page, page_route, safely
from services.console.security import SecureHeaders
from services.console.sessions import Sessions
from services.console.sign_in import sign_in_routes
from services.console.site import Site
from shared.clock import TimeSource, utc_now
from shared.http import probes
from shared.http.app import NO_FASTAPI_TELEMETRY
from shared.http.request_log import RequestLog

STATIC = Path(__file__).parent / "static"
MIN_GZIP_BYTES = 1_000


def build_console(
    *,
    urls: Mapping[Service, str],
    secret_key: SecretStr | None,
    is_secure: bool = False,
    time_source: TimeSource = utc_now,
    timeout: httpx.Timeout = TIMEOUT,
) -> FastAPI:
    """The console. `is_secure` says that browsers reach it by https. Raises BadSecretKey without a secret key."""
    connections = Connections(urls, timeout=timeout)
    site = Site(connections, Sessions(secret_key), time_source, is_secure=is_secure)

    app = FastAPI(
        title="Leadbaton console",
        openapi_url=None,
        redirect_slashes=False,
        telemetry=NO_FASTAPI_TELEMETRY,
    )
    app.state.streams = site.channels
    app.router.add_event_handler("shutdown", site.connections.close)
    app.add_middleware(GZipMiddleware, minimum_size=MIN_GZIP_BYTES)
    app.add_middleware(SecureHeaders)
    app.add_middleware(RequestLog, quiet=("/live",))
    app.mount("/static", StaticFiles(directory=STATIC))
    _add_probes(app)
    for path, method, route in _routes(site):
        app.add_api_route(path, safely(site, route), methods=[method], response_model=None)
    app.add_exception_handler(404, missing_page(site))
    app.add_exception_handler(405, missing_page(site))
    return app


def _routes(site: Site) -> Iterator[tuple[str, str, Handler]]:
    """Path, method and handler of every route."""
    yield from sign_in_routes(site)
    yield "/live", "GET", live_route(site, PAGES)
    for page in PAGES:
        yield page.path, "GET", page_route(site, page)
    for export in EXPORTS:
        yield export.path, "GET", export_route(site, export)
    for act in ACTS:
        yield act.path, "POST", act_route(site, act, PAGES)


def _add_probes(app: FastAPI) -> None:
    async def healthz(_: Request) -> Response:
        return Response("ok", media_type="text/plain")

    async def metrics(_: Request) -> Response:
        return Response(*probes.metrics())

    app.add_api_route("/healthz", healthz)
    app.add_api_route("/readyz", healthz)
    app.add_api_route("/metrics", metrics)
