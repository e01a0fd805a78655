"""Error responses: problems of RFC 9457 that also hold `code` and `message`, readable by pages of any site."""

from __future__ import annotations

import json
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.db.outages import OUTAGES, DatabaseAway, is_outage
from shared.errors import LeadbatonError, Rejected, Unavailable
from shared.http.headers import header
from shared.text import storable

PROBLEM_TYPE = "application/problem+json"


class Problem(BaseModel):
    """The body of every error response."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="`urn:leadbaton:error:` and the code.")
    title: str
    status: int
    detail: str = Field(description="What is wrong and how to correct it.")
    code: str = Field(description="A name for programs, whose meaning never changes.")
    message: str = Field(description="The same text as `detail`: some SDKs read it from here.")


class MalformedBody(Rejected):
    """The body cannot be read."""

    code = "malformed_body"
    status = 400


class InvalidRequest(Rejected):
    """The body or a parameter does not fit the description of this operation."""

    code = "invalid_request"


class TooLarge(Rejected):
    """The request is larger than this API takes."""

    code = "too_large"
    status = 413


class UnsupportedEncoding(Rejected):
    """The Content-Encoding is none that this API can decode."""

    code = "unsupported_encoding"
    status = 415


def problem(error: LeadbatonError, *, retry_after_s: int | None = None, **more: Any) -> Response:
    """The error as a response, with Retry-After where a later attempt may succeed."""
    headers = {}
    if isinstance(error, Unavailable):
        headers["retry-after"] = str(retry_after_s or error.retry_after_s)
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    return problem_response(error.status, error.code, error.message, headers, **more)


EXPECTED_ERRORS = (LeadbatonError, *OUTAGES)
"""The errors that become a response. Any other error of a route is a bug."""


def error_response(error: Exception) -> Response:
    """The response to one of EXPECTED_ERRORS; raises an error of the database that is no outage, for that is a bug."""
    if isinstance(error, LeadbatonError):
        return problem(error)
    if not is_outage(error):
        raise error
    return problem(DatabaseAway("the database does not answer: try again in a moment"))


def problem_response(
    status: int, code: str, message: str, headers: dict[str, str] | None = None, **more: Any
) -> Response:
    """A response whose body is a Problem; `more` are further fields of it."""
    content = {
        "type": f"urn:leadbaton:error:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": message,
        "code": code,
        "message": message,
        **more,
    }
    return Response(_json(content), status, headers=headers, media_type=PROBLEM_TYPE)


def _json(content: dict[str, Any]) -> bytes:
    """The content in UTF-8. orjson refuses lone surrogates, which a caller's text may hold; they are replaced."""
    try:
        return orjson.dumps(content)
    except orjson.JSONEncodeError:
        return storable(json.dumps(content, ensure_ascii=False)).encode()


def problems(*errors: type[LeadbatonError]) -> dict[int | str, dict[str, Any]]:
    """The errors for `responses=`, with code and description; errors of one status share an entry."""
    responses: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        text = error_description(error)
        known = responses.get(error.status)
        responses[error.status] = {
            "model": Problem,
            "description": f"{known['description']} {text}" if known else text,
        }
    return responses


def error_description(error: type[LeadbatonError]) -> str:
    """The error's code and its docstring, for descriptions."""
    return f"`{error.code}`: {(error.__doc__ or '').strip()}"


def cors_headers(origin: str) -> dict[str, str]:
    """The headers with which a browser lets pages of this origin read a response."""
    return {
        "access-control-allow-origin": origin,
        "access-control-expose-headers": "retry-after",
        "vary": "origin",
    }


class ReadableErrors:
    """Middleware that lets pages of any site read error responses; without it Segment's client retries for ever.

    This is safe: an error response holds only what the request brought, and browsers send no key by themselves.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the headers to an error response; only browsers send an Origin."""
        origin = header(scope, b"origin") if scope["type"] == "http" else None
        if origin is None:
            await self.app(scope, receive, send)
            return
        fields = {
            name.encode(): value.encode("latin-1") for name, value in cors_headers(origin).items()
        }

        async def send_readable(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                others = [field for field in message["headers"] if field[0] not in fields]
                message["headers"] = [*others, *fields.items()]
            await send(message)

        await self.app(scope, receive, send_readable)
