"""Errors as HTTP tells them: RFC 9457 problems that also hold `code` and `message`, which SDKs read."""

from __future__ import annotations

import json
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from shared.db.outages import OUTAGES, DatabaseAway, is_outage
from shared.errors import LeadbatonError, Rejected, Unavailable
from shared.text import storable

PROBLEM_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What every error looks like."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="`urn:leadbaton:error:` and the code.")
    title: str
    status: int
    detail: str = Field(description="What is wrong and how to mend it.")
    code: str = Field(description="For programs; never changes its meaning.")
    message: str = Field(description="The same as detail, where some SDKs look for it.")


class MalformedBody(Rejected):
    """The body cannot be read at all."""

    code = "malformed_body"
    status = 400


class InvalidRequest(Rejected):
    """The body or the parameters are not what the route takes."""

    code = "invalid_request"


class TooLarge(Rejected):
    """The request is larger than this API takes."""

    code = "too_large"
    status = 413


class UnsupportedEncoding(Rejected):
    """A Content-Encoding that is not understood here."""

    code = "unsupported_encoding"
    status = 415


def problem(error: LeadbatonError, *, retry_after_s: int | None = None, **more: Any) -> Response:
    """The error as a response; what will pass says when to try again."""
    headers = {}
    if isinstance(error, Unavailable):
        headers["retry-after"] = str(retry_after_s or error.retry_after_s)
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    return problem_response(error.status, error.code, error.message, headers, **more)


FORESEEN = (LeadbatonError, *OUTAGES)
"""What a route may raise, and be answered for."""


def answer_to(error: Exception) -> Response:
    """The response to what is FORESEEN; raises what the database says of a statement, for that is a bug."""
    if isinstance(error, LeadbatonError):
        return problem(error)
    if not is_outage(error):
        raise error
    return problem(DatabaseAway("the database is away: try again in a moment"))


def problem_response(
    status: int, code: str, message: str, headers: dict[str, str] | None = None, **more: Any
) -> Response:
    """A problem as a response."""
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
    """The content in UTF-8, whatever callers wrote that it repeats: orjson refuses halves of pairs."""
    try:
        return orjson.dumps(content)
    except orjson.JSONEncodeError:
        return storable(json.dumps(content, ensure_ascii=False)).encode()


def problems(*errors: type[LeadbatonError]) -> dict[int | str, dict[str, Any]]:
    """For `responses=`: each error with its code and what it means, those of one status together."""
    responses: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        text = meaning(error)
        known = responses.get(error.status)
        responses[error.status] = {
            "model": Problem,
            "description": f"{known['description']} {text}" if known else text,
        }
    return responses


def meaning(error: type[LeadbatonError]) -> str:
    """The error's code and what it means, for descriptions."""
    return f"`{error.code}`: {(error.__doc__ or '').strip()}"
