"""Routes made from pages and acts, and what a visitor sees in place of an error."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from urllib.parse import parse_qsl, quote, urlsplit

from fastapi.sse import EventSourceResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Match, Route

from services.console.apis import Apis, Refusal, Service, ServiceAway, SignedOut
from services.console.pages.page import FIND, Act, Page, View, address
from services.console.sessions import Visitor
from services.console.site import BadForm, Site, form_of, zone_of
from shared.errors import LeadbatonError

Handler = Callable[[Request], Awaitable[Response]]

MAX_QUERY_FIELDS = 50

SAME_SITE = frozenset({"same-origin", "none"})
"""Values of Sec-Fetch-Site for requests of our own pages and of the address line."""

AGAIN = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Leadbaton</title>'
    '<meta http-equiv="refresh" content="0"><p><a href="">Open the console</a></p></html>'
)
"""Browsers do not send the session's cookie with a link on another site: this page asks once more, from our own."""


WRONG_SCOPES = {
    "rep": "this is for operations: your key is a rep's",
    "read": "this changes something: your key may only read",
    "ops": "this is for reps: your key is of operations",
}
"""What is said to a visitor whose key is of a scope that a page or an act is not for."""


@dataclass(frozen=True, slots=True)
class RefusedForm:
    """A form that an API has refused: the reason, and what the visitor has entered."""

    message: str = ""
    status_code: int = 200
    fields: Mapping[str, str] = field(default_factory=dict)


def page_route(site: Site, page: Page) -> Handler:
    """The route of a page."""

    async def show(request: Request) -> Response:
        visitor = await visitor_of(site, request, page.scopes)
        view = view_of(site, request, visitor)
        return await show_page(site, request, page, view)

    return show


async def show_page(
    site: Site,
    request: Request,
    page: Page,
    view: View,
    *,
    refused: RefusedForm | None = None,
) -> Response:
    """The page with what the APIs answer, and with a form that was refused."""
    values = await page.load(site.apis(view.visitor), view)
    live = f"/live?view={quote(view.url(), safe='')}" if page.streams else ""
    frame = site.frame(request, page.title, view.visitor, live=live)
    refused = refused or RefusedForm()
    context = {"view": view, "refusal": refused.message, "form": refused.fields, **values}
    return site.html(page.template, frame, context, refused.status_code)


def act_route(site: Site, act: Act, pages: Sequence[Page]) -> Handler:
    """The route of an act: it sends the browser on, or shows the page again with the reason of a refusal."""

    async def run(request: Request) -> Response:
        visitor = await visitor_of(site, request, act.scopes)
        fields = await form_of(request)
        if not site.sessions.is_token(visitor, fields.pop("token", "")):
            raise BadForm(
                "this form does not come from a page of your session: open its page again"
            )
        view = view_of(site, request, visitor)
        try:
            outcome = await act.run(site.apis(visitor), view, fields)
        except Refusal as refusal:
            back = act.back.format_map(view.values)
            page, values = page_at(pages, back)
            present_view = replace(view, path=back, values=values)
            refused = RefusedForm(refusal.message, refusal.http_status, fields)
            return await show_page(site, request, page, present_view, refused=refused)
        path = outcome.path
        if outcome.search:
            path = address(path, {FIND: site.sessions.encrypt(outcome.search, FIND)})
        response = RedirectResponse(path, 303)
        if outcome.status:
            site.set_status(response, outcome.status)
        return response

    return run


def live_route(site: Site, pages: Sequence[Page]) -> Handler:
    """The stream of a page, whose address is the parameter `view`."""

    async def stream(request: Request) -> Response:
        url = urlsplit(request.query_params.get("view", ""))
        page, values = page_at(pages, url.path)
        visitor = await visitor_of(site, request, page.scopes)
        query = dict(parse_qsl(url.query, max_num_fields=MAX_QUERY_FIELDS))
        view = replace(view_of(site, request, visitor, query), path=url.path, values=values)

        async def render(apis: Apis) -> str:
            present_view = replace(view, now=site.now())
            context = {
                "view": present_view,
                "refusal": "",
                "form": {},
                **await page.load(apis, present_view),
            }
            frame = replace(site.frame(request, page.title, visitor), token="", status="")
            return site.renderer.fragment(page.template, frame, context)

        events = site.channels.events(
            (view.url(), visitor.audience, site.frame(request, "", visitor).zone.key),
            site.apis(visitor),
            streams=page.streams,
            render=render,
            last_id=request.headers.get("last-event-id"),
        )
        return EventSourceResponse(events)

    return stream


def page_at(pages: Sequence[Page], path: str) -> tuple[Page, dict[str, str]]:
    """The page at a path, and the variable parts of the path; raises a Refusal with 404."""
    scope = {"type": "http", "method": "GET", "path": path, "root_path": ""}
    for page in pages:
        match, child_scope = _route(page.path).matches(scope)
        if match is Match.FULL:
            values = {name: str(value) for name, value in child_scope["path_params"].items()}
            return page, values
    raise Refusal(404, "not_found", "there is no page at this address")


@cache
def _route(path: str) -> Route:
    """The compiled pattern of a page's path."""
    return Route(path, lambda _: None)


async def visitor_of(site: Site, request: Request, scopes: Sequence[str]) -> Visitor:
    """The visitor, whose key is valid at this moment, unless routing is away.

    Raises SignedOut without a session or after its key, and a Refusal where the page is not for this scope.
    """
    visitor = site.visitor(request)
    if visitor is None:
        raise SignedOut("sign in to see this page")
    with suppress(ServiceAway):
        await site.apis(visitor).get(Service.ROUTING, "/v1/key")
    if visitor.scope not in scopes:
        raise Refusal(403, "wrong_scope", WRONG_SCOPES[visitor.scope])
    return visitor


def view_of(
    site: Site, request: Request, visitor: Visitor, query: Mapping[str, str] | None = None
) -> View:
    """What the visitor asks for by the request's address, or by the query of another."""
    values = {name: str(value) for name, value in request.path_params.items()}
    if query is None:
        query = dict(list(request.query_params.items())[:MAX_QUERY_FIELDS])
    search = site.sessions.decrypt(query.get(FIND, ""), FIND)
    return View(request.url.path, values, query, visitor, site.now(), zone_of(request), search)


def safely(site: Site, handler: Handler) -> Handler:
    """The route, whose errors are pages that say what happened and how to go on."""

    async def handle(request: Request) -> Response:
        try:
            if request.method == "POST":
                _check_origin(request)
            return await handler(request)
        except SignedOut:
            return signed_out(site, request)
        except Refusal as refusal:
            return error_page(site, request, refusal.http_status, refusal.message)
        except LeadbatonError as error:
            return error_page(site, request, error.status, error.message)

    return handle


def signed_out(site: Site, request: Request) -> Response:
    """The way to the sign-in page, and back from it; a stream is told that it has ended."""
    if request.url.path == "/live":
        return PlainTextResponse("signed out", 401)
    is_from_elsewhere = request.headers.get("sec-fetch-site", "none") not in SAME_SITE
    if is_from_elsewhere and request.method == "GET":
        return HTMLResponse(AGAIN)
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    query = f"?next={quote(target, safe='')}" if request.method == "GET" and target != "/" else ""
    response = RedirectResponse(f"/sign-in{query}", 303)
    site.sign_out(response)
    return response


def error_page(site: Site, request: Request, status: int, message: str) -> Response:
    """A page that says what happened."""
    frame = site.frame(request, "Not shown", site.visitor(request))
    return site.html("error.html", frame, {"message": message, "status_code": status}, status)


def missing_page(site: Site) -> Callable[[Request, Exception], Awaitable[Response]]:
    """The answer where there is no page."""

    async def show(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        return error_page(site, request, status, "There is no page at this address.")

    return show


def _check_origin(request: Request) -> None:
    """Raise BadForm for a form that a page of another site has sent; only browsers say where it comes from."""
    if request.headers.get("sec-fetch-site", "none") not in SAME_SITE:
        raise BadForm("this form was sent by a page of another site: nothing was done")
