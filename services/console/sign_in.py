"""Signing in with a key or a link, and signing out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.console.apis import Refusal, Service, SignedOut
from services.console.pages.page import EVERYBODY
from services.console.site import BadForm, Site, form_of

Routes = Sequence[tuple[str, list[str], Callable[[Request], Awaitable[Response]]]]

MAX_KEY = 200


def sign_in_routes(site: Site) -> Routes:
    """The routes: paths, methods and handlers."""

    async def show(request: Request) -> Response:
        return _form(site, request, request.query_params.get("next", "/"))

    async def sign_in(request: Request) -> Response:
        form = await form_of(request)
        target = safe_target(form.get("next", "/"))
        key = form.get("key", "").strip()[:MAX_KEY]
        try:
            if form.get("link"):
                key = await _key_of_link(site, form["link"][:MAX_KEY])
            known = await site.connections.apis(key).get(Service.ROUTING, "/v1/key")
        except SignedOut as error:
            return _form(site, request, target, fault=error.message)
        except Refusal as error:
            return _form(site, request, target, fault=error.message)
        if known["scope"] not in EVERYBODY:
            fault = f"a key of scope {known['scope']} sends events: the console takes one of ops, read or rep"
            return _form(site, request, target, fault=fault)
        response = RedirectResponse(target, 303)
        visitor = site.sessions.start(key, known["scope"], known["subject"], site.now())
        site.sign_in(response, visitor)
        return response

    async def show_link(request: Request) -> Response:
        link = request.query_params.get("token", "")[:MAX_KEY]
        return site.html("link.html", site.frame(request, "Sign in", None), {"link": link})

    async def sign_out(request: Request) -> Response:
        visitor, form = site.visitor(request), await form_of(request)
        if visitor is not None and not site.sessions.is_token(visitor, form.get("token", "")):
            raise BadForm("this form does not come from a page of your session: open its page again")
        response = RedirectResponse("/sign-in", 303)
        site.sign_out(response)
        return response

    return (
        ("/sign-in", ["GET"], show),
        ("/sign-in", ["POST"], sign_in),
        ("/sign-in/link", ["GET"], show_link),
        ("/sign-out", ["POST"], sign_out),
    )


async def _key_of_link(site: Site, token: str) -> str:
    """The key that the token of a link is exchanged for, once."""
    apis = site.connections.apis("")
    answer = await apis.post(Service.ROUTING, "/v1/sign-in", {"token": token})
    return str(answer["key"])


def safe_target(target: str) -> str:
    """A path of this site, or the first page."""
    is_path = target.startswith("/") and not target.startswith(("//", "/\\", "/sign-"))
    return target if is_path and target.isprintable() and len(target) <= 2_000 else "/"


def _form(site: Site, request: Request, target: str, *, fault: str = "") -> Response:
    values = {"next": safe_target(target), "fault": fault}
    frame = site.frame(request, "Sign in", None)
    return site.html("sign_in.html", frame, values, 401 if fault else 200)
