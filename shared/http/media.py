"""Content types: hardly believed, because clients label JSON as text, as a form or as nothing."""

from __future__ import annotations

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.types import Scope

from shared.errors import Rejected
from shared.http.headers import header
from shared.http.problems import MalformedBody

JSON = "application/json"
MAX_TYPE_CHARACTERS = 100
"""So much of a Content-Type is repeated."""

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
"""Types that clients send JSON with: a body that is no JSON is then a mistake in the body, not in the type."""

_CLOUDEVENTS = "application/cloudevents"
_JSON_STARTS = (b"{", b"[")
_MAX_BLANKS = 100
_LABEL = "content_type"
"""Where the scope keeps the type that came, if another was put in its place."""


class UnsupportedType(Rejected):
    """The body is of a Content-Type that is not understood here: send JSON."""

    code = "unsupported_type"
    status = 415


def check_format(content_type: str | None) -> None:
    """Raise UnsupportedType for JSON that would be read as something that it is not."""
    if content_type is None or content_type == JSON:  # what most posts have, in a tenth of the time
        return
    if _media_type(content_type).startswith(_CLOUDEVENTS):
        raise _unsupported(content_type)


def not_json(scope: Scope, message: str) -> Rejected:
    """The refusal of a body that is no JSON: its type is to blame, if that does not promise JSON either."""
    content_type = scope.get(_LABEL) or header(scope, b"content-type") or ""
    kind = _media_type(content_type)
    if kind in _MAYBE_JSON or kind.endswith("+json"):
        return MalformedBody(message)
    return _unsupported(content_type)


def refused_body(scope: Scope, error: RequestValidationError) -> Rejected | None:
    """The refusal of a body that FastAPI did not read as JSON; None if it is JSON, or something else is wrong."""
    fault = error.errors()[0]
    if fault["type"] == "json_invalid":
        where, why = fault["loc"][-1], fault["ctx"]["error"]
        return not_json(scope, f"the body is not JSON: {why} at character {where}")
    if isinstance(error.body, bytes) and not _is_json(error.body):
        return not_json(scope, "the body is not JSON")
    return None


def label_as_json(scope: Scope, body: bytes) -> None:
    """Let FastAPI, which believes the type, read a body that begins as an object or a list do, as no form does."""
    if not body[:_MAX_BLANKS].lstrip().startswith(_JSON_STARTS):
        return
    scope[_LABEL] = header(scope, b"content-type")
    others = [field for field in scope["headers"] if field[0] != b"content-type"]
    scope["headers"] = [*others, (b"content-type", JSON.encode())]


def _media_type(content_type: str) -> str:
    """The type without its parameters."""
    return content_type.partition(";")[0].partition(",")[0].strip().lower()


def _unsupported(content_type: str) -> UnsupportedType:
    return UnsupportedType(
        f"a body of the Content-Type {content_type[:MAX_TYPE_CHARACTERS]} is not understood here: send JSON as "
        f"/docs describes it, labelled {JSON} (text/plain, application/x-www-form-urlencoded, "
        "application/octet-stream or no type do as well)"
    )


def _is_json(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except ValueError:
        return False
    return True
