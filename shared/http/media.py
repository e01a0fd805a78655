"""Content types of request bodies. Many clients label JSON as text, as a form, or not at all, so JSON is recognised."""

from __future__ import annotations

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.types import Scope

from shared.errors import Rejected
from shared.http.headers import header
from shared.http.problems import MalformedBody

JSON = "application/json"
MAX_TYPE_CHARACTERS = 100
"""An error repeats a Content-Type up to this length."""

_MAYBE_JSON = frozenset(
    {
        "",
        JSON,
        "application/x-json",
        "text/json",
        "text/x-json",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/octet-stream",
    }
)
"""Content types that clients send JSON with. If such a body is not JSON, the error names the body, not the type."""

_CLOUDEVENTS = "application/cloudevents"
_JSON_STARTS = (b"{", b"[")
_MAX_BLANKS = 100
_SENT_TYPE = "content_type"
"""The key of the scope that keeps the original Content-Type after `label_as_json` has replaced it."""


class UnsupportedType(Rejected):
    """The Content-Type is none that this API reads: send JSON."""

    code = "unsupported_type"
    status = 415


def check_format(content_type: str | None) -> None:
    """Raise UnsupportedType for the structured mode of CloudEvents, which must not be read as plain JSON."""
    if content_type is None or content_type == JSON:  # a fast path for most requests
        return
    if _media_type(content_type).startswith(_CLOUDEVENTS):
        raise _unsupported(content_type)


def not_json_error(scope: Scope, message: str) -> Rejected:
    """The error for a body that is not JSON: UnsupportedType if the type does not stand for JSON either."""
    content_type = scope.get(_SENT_TYPE) or header(scope, b"content-type") or ""
    kind = _media_type(content_type)
    if kind in _MAYBE_JSON or kind.endswith("+json"):
        return MalformedBody(message)
    return _unsupported(content_type)


def unreadable_body_error(scope: Scope, error: RequestValidationError) -> Rejected | None:
    """The error for a body that FastAPI could not read as JSON, or None if the body is JSON."""
    fault = error.errors()[0]
    if fault["type"] == "json_invalid":
        index, reason = fault["loc"][-1], fault["ctx"]["error"]
        return not_json_error(scope, f"the body is not JSON: {reason} at character {index}")
    if isinstance(error.body, bytes) and not _is_json(error.body):
        return not_json_error(scope, "the body is not JSON")
    return None


def label_as_json(scope: Scope, body: bytes) -> None:
    """Replace the Content-Type of a body that begins like a JSON object or list, because FastAPI goes by the type."""
    if not body[:_MAX_BLANKS].lstrip().startswith(_JSON_STARTS):
        return
    scope[_SENT_TYPE] = header(scope, b"content-type")
    others = [field for field in scope["headers"] if field[0] != b"content-type"]
    scope["headers"] = [*others, (b"content-type", JSON.encode())]


def _media_type(content_type: str) -> str:
    """The type without its parameters."""
    return content_type.partition(";")[0].partition(",")[0].strip().lower()


def _unsupported(content_type: str) -> UnsupportedType:
    return UnsupportedType(
        f"a body of the Content-Type {content_type[:MAX_TYPE_CHARACTERS]} is not understood here: send JSON as "
        f"/docs describes it, labelled {JSON} (text/plain, application/x-www-form-urlencoded, "
        "application/octet-stream or no type are read as JSON too)"
    )


def _is_json(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except ValueError:
        return False
    return True
