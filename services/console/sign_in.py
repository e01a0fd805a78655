"""Signing in with a key or a link, and signing out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.console.apis import Refusal, Service, SignedOut
from services.console.pages.page import EVERYBODY
from services.console.site import BadForm, Site, form_of

Routes = Sequence[tuple[str, str, Callable[[Request], Awaitable[Response]]]]

MAX_KEY = 200


def sign_in_routes(site: Site) -> Routes:
    """The routes: path, method and handler of each."""
    routes = _SignIn(site)
    return (
        ("/sign-in", "GET", routes.show),
        ("/sign-in", "POST", routes.sign_in),
        ("/sign-out", "POST", routes.sign_out),
    )


class _SignIn:
    def __init__(self, site: Site) -> None:
        self._site = site

    async def show(self, request: Request) -> Response:
        """The form for a key; for a link a button, so that a program that opens links does not use it up."""
        link = request.query_params.get("token", "")[:MAX_KEY]
        if not link:
            return self._key_form(request, request.query_params.get("next", "/"))
        frame = self._site.frame(request, "Sign in", None)
        return self._site.html("link.html", frame, {"link": link})

    async def sign_in(self, request: Request) -> Response:
        """Begin a session with a key, or with the key that a link gives."""
        fields = await form_of(request)
        target = safe_target(fields.get("next", "/"))
        try:
            key = await self._key(fields)
            known = await self._site.connections.apis(key).get(Service.ROUTING, "/v1/key")
        except (SignedOut, Refusal) as error:
            return self._key_form(request, target, fault=error.message)
        scope = known["scope"]
        if scope not in EVERYBODY:
            fault = (
                f"a key of scope {scope} sends events: the console takes one of ops, read or rep"
            )
            return self._key_form(request, target, fault=fault)
        response = RedirectResponse(target, 303)
        visitor = self._site.sessions.start(key, scope, known["subject"], self._site.now())
        self._site.sign_in(response, visitor)
        return response

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        visitor, fields = self._site.visitor(request), await form_of(request)
        if visitor is not None and not self._site.sessions.is_token(
            visitor, fields.get("token", "")
        ):
            raise BadForm(
                "this form does not come from a page of your session: open its page again"
            )
        response = RedirectResponse("/sign-in", 303)
        self._site.sign_out(response)
        return response

    async def _key(self, fields: Mapping[str, str]) -> str:
        """The key of the form, or the one that its link is exchanged for, once; raises SignedOut or Refusal."""
        link = fields.get("link", "")[:MAX_KEY]
        if link:
            answer = await self._site.connections.apis("").post(
                Service.ROUTING, "/v1/sign-in", {"token": link}
            )
            return str(answer["key"])
        key = fields.get("key", "").strip()[:MAX_KEY]
        if not (key.isascii() and key.isprintable()):
            raise SignedOut("this is not a key: it has characters that no key has")
        return key

    def _key_form(self, request: Request, target: str, *, fault: str = "") -> Response:
        values = {"next": safe_target(target), "fault": fault}
        frame = self._site.frame(request, "Sign in", None)
        return self._site.html("sign_in.html", frame, values, 401 if fault else 200)


def safe_target(target: str) -> str:
    """A path of this site, or the first page."""
    is_path = target.startswith("/") and not target.startswith(("//", "/\\", "/sign-"))
    return target if is_path and target.isprintable() and len(target) <= 2_000 else "/"
