"""The routes that events come in by, and the list of those that were refused.

They are `async`, unlike all other routes: they wait for the broker on the event loop (docs/decisions).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.scoring.ingest.admission import preflight, readable
from services.scoring.ingest.intake import DEFAULTS, Intake, Limits, Publisher
from services.scoring.ingest.judging import Outcome
from services.scoring.ingest.native import native_batch, native_body
from services.scoring.ingest.refusals import (
    InvalidEvent,
    NowhereToPut,
    OriginNotAllowed,
    RateLimited,
    TooManyEvents,
)
from services.scoring.ingest.segment import segment_batch, segment_single
from services.scoring.queries.rejections import StoredRejection, rejections_of
from shared.auth.keys import ExpiredKey, UnknownKey, WrongScope
from shared.errors import LeadbatonError
from shared.http.dependencies import OpsOrRead, Tx
from shared.http.media import UnsupportedType
from shared.http.pages import MAX_PAGE_BYTES, After, BadCursor, Cursor, Limit, Page, paged
from shared.http.parameters import PlainText, Position
from shared.http.problems import (
    MalformedBody,
    TooLarge,
    UnsupportedEncoding,
    problem,
    problems,
)

CALLS = {
    "batch": "b",
    "identify": "i",
    "track": "t",
    "page": "p",
    "screen": "s",
    "group": "g",
    "alias": "a",
}
"""Segment's paths, and how its browser client shortens them."""

ANY_JSON: dict[str, Any] = {"application/json": {"schema": {"type": "object"}}}

REJECTIONS = Cursor("rejections", tuple[AwareDatetime, Position])

Route = Callable[[Request], Awaitable[Response]]

REFUSALS = problems(
    MalformedBody, UnknownKey, ExpiredKey, WrongScope, OriginNotAllowed, TooLarge, TooManyEvents,
    UnsupportedEncoding, UnsupportedType, InvalidEvent, RateLimited, NowhereToPut,
)  # fmt: skip


class Result(BaseModel):
    """What became of one event."""

    status: Literal["ok", "rejected", "retry"]
    code: str | None = None
    message: str | None = None


class Results(BaseModel):
    """By the event's id, or `#` and its place where it has none."""

    results: dict[str, Result]


class Success(BaseModel):
    """What Segment's clients want to read."""

    success: Literal[True] = True


class RejectionOut(BaseModel):
    """An event that was refused."""

    id: int
    source: str
    event_id: str | None
    received_at: datetime = Field(description="The first time.")
    last_received_at: datetime = Field(description="The last time: the list is in this order.")
    count: int = Field(description="How often it came: by retries, or several times in a request.")
    code: str
    reason: str
    size: int = Field(description="Bytes as they came.")
    text: str = Field(description="The event, at most its first 32 KB.")
    base64: str = Field(description="The same, byte for byte.")

    @classmethod
    def of(cls, stored: StoredRejection) -> RejectionOut:
        """As it was kept."""
        return cls(
            id=stored.id,
            source=stored.source,
            event_id=stored.event_id,
            received_at=stored.received_at,
            last_received_at=stored.last_received_at,
            count=stored.count,
            code=stored.code,
            reason=stored.reason,
            size=stored.size,
            text=stored.bytes.decode("utf-8", "replace"),
            base64=b64encode(stored.bytes).decode(),
        )


def router(publish: Publisher, limits: Limits = DEFAULTS) -> APIRouter:
    """The routes; `publish` is where accepted events go."""
    intake = Intake(publish, limits)
    routes = APIRouter(tags=["ingest"])
    _add_native(routes, intake)
    _add_segment(routes, intake)
    _add_rejections(routes)
    return routes


def _add_native(routes: APIRouter, intake: Intake) -> None:
    async def take_events(request: Request) -> Response:
        """One event, a list, or `{"events": [...]}`. Bad ones fail alone; send again only what says `retry`."""
        return await _answer(request, _native(intake, request))

    _add(routes, "/v1/events", take_events, Results, native_body())


async def _native(intake: Intake, request: Request) -> Response:
    outcome = await intake.take(request, native_batch, divisible=True)
    headers = {"retry-after": "1"} if outcome.put_off else None
    return _json({"results": _results(outcome)}, headers)


def _results(outcome: Outcome) -> dict[str, dict[str, str]]:
    """An id that was accepted once is ok, whatever else was sent under it."""
    told = {
        event_id or f"#{place}": _told("rejected", wrong.code, wrong.message)
        for place, event_id, wrong in outcome.refused
    }
    for place, event_id in outcome.put_off:
        told[event_id or f"#{place}"] = _told(
            "retry", RateLimited.code, "more than this key may send in a second: send it again"
        )
    return told | {event_id: {"status": "ok"} for event_id in outcome.accepted}


def _told(status: str, code: str, message: str) -> dict[str, str]:
    return {"status": status, "code": code, "message": message}


def _add_segment(routes: APIRouter, intake: Intake) -> None:
    for call, short in CALLS.items():
        take = _segment_route(intake, call)
        body = {"description": f"As Segment describes `{call}`.", "content": ANY_JSON}
        _add(routes, f"/v1/{call}", take, Success, body)
        _add(routes, f"/v1/{short}", take, None, body)


def _segment_route(intake: Intake, call: str) -> Route:
    parse = segment_batch if call == "batch" else partial(segment_single, call)

    async def accept(request: Request) -> Response:
        await intake.take(request, parse, divisible=False)
        return _json({"success": True})

    async def take(request: Request) -> Response:
        """As Segment's clients send it. Events that are refused fail nothing: see /v1/rejections."""
        return await _answer(request, accept(request))

    return take


class RejectionsAsked(BaseModel):
    """Which rejections."""

    model_config = ConfigDict(extra="forbid")

    source: PlainText | None = None
    code: PlainText | None = None
    after: After = None
    limit: Limit = 50


def _add_rejections(routes: APIRouter) -> None:
    @routes.get("/v1/rejections", responses=problems(UnknownKey, ExpiredKey, WrongScope, BadCursor))
    def rejections(
        _: OpsOrRead, session: Tx, asked: Annotated[RejectionsAsked, Query()]
    ) -> Page[RejectionOut]:
        """Events that were refused, the latest first, with their bytes and the reason.

        One that is repeated is listed once, with its count. A page ends early where it would become too large.
        """
        rows = rejections_of(
            session,
            source=asked.source,
            code=asked.code,
            before=REJECTIONS.decode(asked.after) if asked.after is not None else None,
            limit=asked.limit + 1,
            max_bytes=MAX_PAGE_BYTES,
        )
        return paged(
            rows,
            limit=asked.limit,
            item=RejectionOut.of,
            position=StoredRejection.position,
            cursor=REJECTIONS,
        )


async def _answer(request: Request, answer: Awaitable[Response]) -> Response:
    """The answer or the problem, such that the page of an allowed site may read either."""
    try:
        response = await answer
    except RateLimited as fast:
        response = problem(fast, retry_after_s=fast.seconds)
    except LeadbatonError as wrong:
        response = problem(wrong)
    return readable(request, response)


async def _preflight(request: Request) -> Response:
    return preflight(request)


def _json(content: object, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), headers=headers, media_type="application/json")


def _add(
    routes: APIRouter,
    path: str,
    take: Route,
    answer: type[BaseModel] | None,
    body: dict[str, Any],
) -> None:
    """The path with and without a slash at its end: nobody is ever redirected."""
    described: dict[int | str, dict[str, Any]] = {200: {"model": answer}, **REFUSALS}
    extra = {"requestBody": body, "security": [{"key": []}]}
    for at in (path, f"{path}/"):
        shown = at == path and answer is not None
        routes.add_api_route(
            at,
            take,
            methods=["POST"],
            response_model=None,
            responses=described if shown else None,
            openapi_extra=extra,
            include_in_schema=shown,
        )
        routes.add_api_route(at, _preflight, methods=["OPTIONS"], include_in_schema=False)
