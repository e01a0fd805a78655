"""The routes that take in events.

They are `async`, unlike all other routes: they wait for the broker on the event loop (docs/decisions).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import orjson
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from services.scoring.ingest.auth import preflight, with_cors
from services.scoring.ingest.conversion import Outcome
from services.scoring.ingest.errors import (
    InvalidEvent,
    NowhereToPut,
    OriginNotAllowed,
    RateLimited,
    TooManyEvents,
)
from services.scoring.ingest.formats.catalogue import CALLS, NATIVE, segment_format
from services.scoring.ingest.formats.native import native_body
from services.scoring.ingest.pipeline import Pipeline
from shared.auth.keys import ExpiredKey, UnknownKey, WrongScope
from shared.errors import LeadbatonError
from shared.http.media import UnsupportedType
from shared.http.problems import (
    MalformedBody,
    TooLarge,
    UnsupportedEncoding,
    problem,
    problems,
)

PERSON = {"userId": "4711", "timestamp": "2026-11-22T10:15:00Z", "messageId": "a-1"}
EXAMPLES: dict[str, dict[str, Any]] = {
    "track": {**PERSON, "event": "Demo Requested", "properties": {"page": "/pricing"}},
    "page": {**PERSON, "name": "Pricing", "properties": {"url": "https://www.example.com/pricing"}},
    "screen": {**PERSON, "name": "Settings"},
    "identify": {**PERSON, "traits": {"email": "ines@tidewater-analytics.com", "employees": 240}},
    "group": {**PERSON, "groupId": "acme", "traits": {"name": "Tidewater", "employees": 240}},
    "alias": {**PERSON, "previousId": "anonymous-17"},
}
EXAMPLES["batch"] = {
    "batch": [{"type": it, **EXAMPLES[it], "messageId": f"a-{it}"} for it in ("identify", "track")]
}
"""A body of each of Segment's calls."""

Route = Callable[[Request], Awaitable[Response]]

REFUSALS = problems(
    MalformedBody, UnknownKey, ExpiredKey, WrongScope, OriginNotAllowed, TooLarge, TooManyEvents,
    UnsupportedEncoding, UnsupportedType, InvalidEvent, RateLimited, NowhereToPut,
)  # fmt: skip


class ResultWarning(BaseModel):
    """Something of an accepted event that has no effect."""

    code: str = Field(
        description="`unusable_identifier`, `undeclared_trait` or `unreadable_trait`."
    )
    field: str = Field(description="The field of the event, such as `lead.email`.")
    message: str


class Result(BaseModel):
    """The outcome of one event."""

    status: Literal["ok", "rejected", "retry"]
    code: str | None = Field(default=None, description="Why it is not `ok`.")
    message: str | None = None
    warnings: list[ResultWarning] | None = Field(
        default=None, description="What of an accepted event has no effect; absent where all has."
    )


class Results(BaseModel):
    """The results by event id, or by `#` and the event's position where it has no id."""

    results: dict[str, Result]


class Success(BaseModel):
    """The answer that Segment's clients expect."""

    success: Literal[True] = True


def router(pipeline: Pipeline) -> APIRouter:
    """The routes that senders use."""
    routes = APIRouter(tags=["ingest"])
    _add_native(routes, pipeline)
    _add_segment(routes, pipeline)
    return routes


def _add_native(routes: APIRouter, pipeline: Pipeline) -> None:
    async def take_events(request: Request) -> Response:
        """Takes one event, a list, or `{"events": [...]}`. Each has its own result; send only `retry` ones again."""
        return await _answer(request, _native(pipeline, request))

    _add(routes, "/v1/events", take_events, Results, native_body())


async def _native(pipeline: Pipeline, request: Request) -> Response:
    outcome = await pipeline.take(request, NATIVE, divisible=True)
    headers = {"retry-after": "1"} if outcome.deferrals else None
    return _json({"results": results_of(outcome)}, headers)


def results_of(outcome: Outcome) -> dict[str, dict[str, object]]:
    """The results by event id; an id that was accepted once is ok, whatever else was sent under it."""
    refused = {
        it.event_id or f"#{it.position}": _result("rejected", it.error.code, it.error.message)
        for it in outcome.refusals
    }
    retry = _result(
        "retry", RateLimited.code, "the key sends faster than it may: send this event again"
    )
    deferred = {it.event_id or f"#{it.position}": retry for it in outcome.deferrals}
    accepted: dict[str, dict[str, object]] = {
        event_id: {"status": "ok"} for event_id in outcome.accepted_ids
    }
    for event_id, warnings in outcome.warnings.items():
        accepted[event_id]["warnings"] = [warning._asdict() for warning in warnings]
    return refused | deferred | accepted


def _result(status: str, code: str, message: str) -> dict[str, object]:
    return {"status": status, "code": code, "message": message}


def _add_segment(routes: APIRouter, pipeline: Pipeline) -> None:
    for call, short in CALLS.items():
        take = _segment_route(pipeline, call)
        body = {"description": f"As Segment describes `{call}`.", "content": _segment_content(call)}
        _add(routes, f"/v1/{call}", take, Success, body)
        _add(routes, f"/v1/{short}", take, None, body)


def _segment_content(call: str) -> dict[str, Any]:
    """The body of a call for OpenAPI: any JSON object, with an example."""
    return {"application/json": {"schema": {"type": "object"}, "example": EXAMPLES[call]}}


def _segment_route(pipeline: Pipeline, call: str) -> Route:
    event_format = segment_format(call)

    async def accept(request: Request) -> Response:
        await pipeline.take(request, event_format, divisible=False)
        return _json({"success": True})

    async def take(request: Request) -> Response:
        """Takes what Segment's clients send. Refused events do not fail the request: see /v1/rejections."""
        return await _answer(request, accept(request))

    return take


async def _answer(request: Request, answer: Awaitable[Response]) -> Response:
    """The answer or the problem, such that the page of an allowed site may read either."""
    try:
        response = await answer
    except RateLimited as error:
        response = problem(error, retry_after_s=error.seconds)
    except LeadbatonError as error:
        response = problem(error)
    return with_cors(request, response)


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
    """Add the path with and without a slash at its end, as a redirect would lose events."""
    responses: dict[int | str, dict[str, Any]] = {200: {"model": answer}, **REFUSALS}
    extra = {"requestBody": body, "security": [{"key": []}]}
    for variant in (path, f"{path}/"):
        in_schema = variant == path and answer is not None
        routes.add_api_route(
            variant,
            take,
            methods=["POST"],
            response_model=None,
            responses=responses if in_schema else None,
            openapi_extra=extra,
            include_in_schema=in_schema,
        )
        routes.add_api_route(variant, _preflight, methods=["OPTIONS"], include_in_schema=False)
