"""Direct calls of the ingest endpoints, without FastAPI's routing and dependencies.

Those take 75 µs a request, four times as long as the check of an event. FastAPI still describes these routes, and
responds to all other methods on their paths.
"""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.http.problems import EXPECTED_ERRORS, error_response

Posts = dict[str, APIRoute]
"""The routes of POST by path; the paths have no parameters."""


def include_direct(app: FastAPI, router: APIRouter) -> None:
    """Include the router. Endpoints of POST are called with the request alone; its body is in `scope["body"]`."""
    app.include_router(router)
    for route in router.routes:
        if isinstance(route, APIRoute) and route.methods and "POST" in route.methods:
            app.state.posts[route.path] = route


class DirectRoutes:
    """Middleware that calls the endpoint of a direct route itself and passes every other request on."""

    def __init__(self, app: ASGIApp, *, posts: Posts) -> None:
        self.app = app
        self.posts = posts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the endpoint of a direct route, or pass the request on."""
        route = self.posts.get(scope["path"]) if scope["type"] == "http" else None
        if route is None or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        scope["route"] = route
        try:
            response = await route.endpoint(Request(scope, receive, send))
        except EXPECTED_ERRORS as error:
            response = error_response(error)
        await response(scope, receive, send)
