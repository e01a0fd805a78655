"""A lane beside FastAPI for the routes that most requests take: found by a dict, and given the bare request.

FastAPI's routing and dependencies take 75 µs a request, four times what judging an event takes. It still describes
these routes, and answers all other methods on their paths.
"""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.http.problems import FORESEEN, answer_to

Posts = dict[str, APIRoute]
"""Routes by their paths, which have no parameters."""


def include_direct(app: FastAPI, router: APIRouter) -> None:
    """Include the router; its posts are given the bare request, with the body in `scope["body"]`."""
    app.include_router(router)
    for route in router.routes:
        if isinstance(route, APIRoute) and route.methods and "POST" in route.methods:
            app.state.posts[route.path] = route


class DirectRoutes:
    """Posts on these routes go straight to their endpoints, everything else goes on."""

    def __init__(self, app: ASGIApp, *, posts: Posts) -> None:
        self.app = app
        self.posts = posts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take it, or pass it on."""
        route = self.posts.get(scope["path"]) if scope["type"] == "http" else None
        if route is None or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        scope["route"] = route
        try:
            response = await route.endpoint(Request(scope, receive, send))
        except FORESEEN as error:
            response = answer_to(error)
        await response(scope, receive, send)
