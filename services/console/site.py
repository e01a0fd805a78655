"""What every route of the console uses: connections, sessions, templates, cookies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.console.apis import Apis, Connections
from services.console.live import Channels
from services.console.pages import PAGES
from services.console.rendering import Frame, Renderer
from services.console.sessions import LIFETIME, Sessions, Visitor
from shared.clock import TimeSource
from shared.errors import Rejected

MAX_FORM_BYTES: Final = 262_144
MAX_FIELDS: Final = 200
MAX_STATUS: Final = 300
"""Characters of the line that tells what the visitor has just done."""

STATUS_COOKIE = "leadbaton_status"
ZONE_COOKIE = "leadbaton_zone"
KEYS_COOKIE = "leadbaton_keys"


class BadForm(Rejected):
    """The form cannot be read, or does not come from a page of this sign-in."""

    code = "bad_form"
    status = 400


class Site:
    """The parts that all routes share."""

    def __init__(
        self,
        connections: Connections,
        sessions: Sessions,
        time_source: TimeSource,
        *,
        is_secure: bool,
    ) -> None:
        self.connections = connections
        self.sessions = sessions
        self.now = time_source
        self.renderer = Renderer()
        self.channels = Channels()
        self._is_secure = is_secure
        self._cookie = "__Host-leadbaton" if is_secure else "leadbaton"

    def visitor(self, request: Request) -> Visitor | None:
        """Who has signed in, by the cookie."""
        return self.sessions.visitor(request.cookies.get(self._cookie), self.now())

    def apis(self, visitor: Visitor) -> Apis:
        """The APIs as this visitor sees them."""
        return self.connections.apis(visitor.key)

    def frame(
        self, request: Request, title: str, visitor: Visitor | None, *, live: str = ""
    ) -> Frame:
        """What the layout shows around a page."""
        return Frame(
            title=title,
            path=request.url.path,
            now=self.now(),
            zone=zone_of(request),
            scope=visitor.scope if visitor else None,
            subject=visitor.subject if visitor else "",
            token=self.sessions.token(visitor) if visitor else "",
            status=self.sessions.decrypt(request.cookies.get(STATUS_COOKIE, ""), "status"),
            live=live,
            navigation=navigation(visitor),
            keys=request.cookies.get(KEYS_COOKIE) != "off",
        )

    def html(
        self, template: str, frame: Frame, values: Mapping[str, Any], status_code: int = 200
    ) -> Response:
        """A page; the line on the last act is shown once."""
        response = HTMLResponse(self.renderer.page(template, frame, values), status_code)
        if frame.status:
            response.delete_cookie(STATUS_COOKIE)
        return response

    def sign_in(self, response: Response, visitor: Visitor) -> None:
        """Begin the visitor's session."""
        response.set_cookie(
            self._cookie,
            self.sessions.cookie(visitor),
            max_age=int(LIFETIME.total_seconds()),
            httponly=True,
            samesite="strict",
            secure=self._is_secure,
        )

    def sign_out(self, response: Response) -> None:
        """End the visitor's session."""
        response.delete_cookie(
            self._cookie, httponly=True, samesite="strict", secure=self._is_secure
        )

    def set_status(self, response: Response, status: str) -> None:
        """Show this line on the next page. It is encrypted: it may hold a secret that is shown once, or a name."""
        response.set_cookie(
            STATUS_COOKIE,
            self.sessions.encrypt(" ".join(status.split())[:MAX_STATUS], "status"),
            max_age=60,
            httponly=True,
            samesite="strict",
            secure=self._is_secure,
        )


def navigation(visitor: Visitor | None) -> tuple[tuple[str, str, str], ...]:
    """The pages that this visitor may open by the rail: path, title, key."""
    if visitor is None:
        return ()
    return tuple(
        (page.path, page.title, page.key)
        for page in PAGES
        if page.key and visitor.scope in page.scopes
    )


def zone_of(request: Request) -> ZoneInfo:
    """The viewer's zone, which the script writes into a cookie; UTC without one."""
    try:
        return ZoneInfo(unquote(request.cookies.get(ZONE_COOKIE, "UTC")))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form, of a repeated name joined by commas; raises BadForm."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise BadForm("the form is too large: send less text")
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
        )
    except ValueError:
        raise BadForm("the form cannot be read: open its page again") from None
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields[name] = f"{fields[name]},{value}" if name in fields else value
    return fields
