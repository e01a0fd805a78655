"""Answer pages: what a rep opens by a signed link, without an account. Opening one changes nothing."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import structlog
from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse, Response

from services.routing.api.answer_rendering import STYLE, Renderer
from services.routing.domain.answer_forms import (
    FORM_IS_VALID_FOR,
    HASTE,
    ForeignForm,
    NoChoice,
    age_of,
    chosen_form,
    stamp_of,
)
from services.routing.domain.answer_links import PATH, fingerprint, link_of
from services.routing.domain.answers import HandoffMoved
from services.routing.handlers.answer_pages import AnswerPage, on_linked_answer, read_answer_page
from services.routing.handlers.assignment import Assigner
from shared.errors import LeadbatonError, Rejected
from shared.http.dependencies import Now, Tx
from shared.http.problems import EXPECTED_ERRORS, error_response
from shared.text import storable

log = structlog.get_logger(__name__)

COOKIE: Final = "leadbaton_answer"
MAX_FORM_BYTES: Final = 32_768
MAX_FIELDS: Final = 20
METHODS: Final = "GET, HEAD, POST, OPTIONS"
HEADERS: Final = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, nofollow",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
}
"""What every answer has: it is kept nowhere, names its address to nobody, is in no index and runs nothing."""
_NONCE = re.compile(r"[0-9a-f]{32}")
_OWN_SITE = frozenset({"same-origin", "none"})

SAVED = "Saved. Thank you."
SAVED_BEFORE = "This was saved before: nothing more has changed."
TOO_QUICK = "Nothing is saved yet: your answer came within a second. Please confirm it."
AWAY = "nothing is lost: the database does not answer at this moment. Try again in a minute"

_RENDERER = Renderer()


class PageRoute(APIRoute):
    """A route for people: its errors are pages too, and every response has the headers of answer pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler, around its transaction too."""
        handle = super().get_route_handler()

        async def handle_as_page(request: Request) -> Response:
            try:
                response = await handle(request)
            except EXPECTED_ERRORS as error:
                response = _error_page(error)
            response.headers.update(HEADERS)
            return response

        return handle_as_page


def _error_page(error: Exception) -> Response:
    known = error_response(error)
    message = error.message if isinstance(error, LeadbatonError) else AWAY
    response = HTMLResponse(_RENDERER.error(message), known.status_code)
    if "retry-after" in known.headers:
        response.headers["retry-after"] = known.headers["retry-after"]
    return response


def router(assigner: Assigner, keys: Sequence[bytes], *, public_url: str) -> APIRouter:
    """The routes. Links are valid that one of the keys has signed; without keys none is."""
    pages = AnswerPages(assigner, keys, public_url)
    routes = APIRouter(include_in_schema=False)
    of_pages = APIRouter(route_class=PageRoute)

    @of_pages.api_route(f"{PATH}{{token}}", methods=["GET", "HEAD"])
    def show(token: str, request: Request, session: Tx, now: Now) -> Response:
        return pages.show(Visit(token, request, session, now))

    @of_pages.post(f"{PATH}{{token}}")
    def take(token: str, request: Request, session: Tx, now: Now) -> Response:
        return pages.take(Visit(token, request, session, now))

    @of_pages.options(f"{PATH}{{token}}")
    def options() -> Response:
        return Response(status_code=204, headers={"allow": METHODS})

    @routes.get("/answers.css")
    def style() -> Response:
        return Response(STYLE, media_type="text/css", headers={"cache-control": "max-age=3600"})

    routes.include_router(of_pages)
    return routes


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for the page of a link."""

    token: str
    request: Request
    session: Session
    now: datetime

    @property
    def nonce(self) -> str:
        """The nonce that this browser has for this link; empty if it has none."""
        nonce = self.request.cookies.get(COOKIE, "")
        return nonce if _NONCE.fullmatch(nonce) else ""

    def fields(self) -> dict[str, str]:
        """The fields of the form; raises NoChoice if it is too long or cannot be read."""
        body: bytes = self.request.scope.get("body", b"")
        if len(body) > MAX_FORM_BYTES:
            raise NoChoice("nothing is saved: the form is too long. Choose again, here")
        try:
            pairs = parse_qsl(
                body.decode(),
                keep_blank_values=True,
                max_num_fields=MAX_FIELDS,
                errors="strict",
            )
        except ValueError:
            raise NoChoice(
                "nothing is saved: the form cannot be read. Choose again, here"
            ) from None
        return {name: storable(value) for name, value in pairs}


class Outcome(NamedTuple):
    """What is said above a page, and what has to be confirmed on it."""

    message: str = ""
    status: int = 200
    confirmed: Mapping[str, str] = MappingProxyType({})
    """The fields of a form that came in haste."""


class AnswerPages:
    """Shows pages, and takes what their forms send."""

    def __init__(self, assigner: Assigner, keys: Sequence[bytes], public_url: str) -> None:
        url = urlsplit(public_url)
        self._assigner, self._keys = assigner, keys
        self._cookie_path = url.path.rstrip("/") + PATH
        self._is_secure = url.scheme == "https"

    def show(self, visit: Visit) -> Response:
        """The page."""
        page = self._read(visit)
        log.info(
            "answer page opened",
            handoff=str(page.handoff.id),
            link=fingerprint(visit.token),
        )
        return self._response(visit, page, Outcome(status=410 if page.has_moved else 200))

    def take(self, visit: Visit) -> Response:
        """Save the answer of a form, or show the page again with the reason why nothing is saved."""
        page = self._read(visit)
        if not page.is_open:
            return self._response(visit, page, Outcome(status=410 if page.has_moved else 409))
        try:
            outcome = self._answer(visit, page)
        except Rejected as refusal:
            outcome = Outcome(refusal.message, refusal.status)
        after = self._read(visit)
        if after.has_moved and outcome.status == HandoffMoved.status:
            outcome = outcome._replace(status=410)
        return self._response(visit, after, outcome)

    def _read(self, visit: Visit) -> AnswerPage:
        link = link_of(visit.token, self._keys, now=visit.now)
        return read_answer_page(visit.session, link, assigner=self._assigner, now=visit.now)

    def _answer(self, visit: Visit, page: AnswerPage) -> Outcome:
        """Save the chosen answer, unless its form came in haste; raises NoChoice, ForeignForm and those of answers."""
        fields = visit.fields()
        age = self._age_of_page(visit, fields)
        answer = chosen_form(page.forms, fields).answer(fields, hop=page.link.hop)
        if age < HASTE:
            chosen = {name: it for name, it in fields.items() if name != "stamp"}
            return Outcome(TOO_QUICK, confirmed=chosen)
        is_new = on_linked_answer(
            visit.session, page.link, answer, assigner=self._assigner, now=visit.now
        )
        log.info(
            "answered by link",
            handoff=str(page.handoff.id),
            link=fingerprint(visit.token),
            change=answer.change.value,
            new=is_new,
        )
        return Outcome(SAVED if is_new else SAVED_BEFORE)

    def _age_of_page(self, visit: Visit, fields: Mapping[str, str]) -> timedelta:
        """How long ago the page was made that the form is on; raises ForeignForm unless this browser got it."""
        if visit.request.headers.get("sec-fetch-site", "none") not in _OWN_SITE:
            raise ForeignForm("nothing is saved: the form was sent by a page of another site")
        return age_of(fields.get("stamp", ""), visit.token, visit.nonce, self._keys, now=visit.now)

    def _response(self, visit: Visit, page: AnswerPage, outcome: Outcome) -> Response:
        """The page with a stamp for its forms, and with the nonce that the stamp is valid with as a cookie."""
        nonce = visit.nonce or secrets.token_hex(16)
        stamp = stamp_of(visit.token, nonce, next(iter(self._keys)), at=visit.now)
        text = _RENDERER.page(
            page,
            stamp=stamp,
            message=outcome.message,
            confirmed=outcome.confirmed,
            now=visit.now,
        )
        response = HTMLResponse(text, outcome.status)
        response.set_cookie(
            COOKIE,
            nonce,
            max_age=int(FORM_IS_VALID_FOR.total_seconds()),
            path=f"{self._cookie_path}{visit.token}",
            httponly=True,
            samesite="strict",
            secure=self._is_secure,
        )
        return response
