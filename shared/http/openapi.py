"""The OpenAPI description of an API, in which each operation lists every error that it may respond with."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from functools import cached_property
from typing import Any

from fastapi import FastAPI

from shared.auth.keys import ExpiredKey, InactiveRep, UnknownKey, WrongScope
from shared.db.outages import DatabaseAway
from shared.errors import LeadbatonError
from shared.http.body import BODILESS, Overloaded
from shared.http.media import UnsupportedType
from shared.http.problems import (
    PROBLEM_TYPE,
    InvalidRequest,
    MalformedBody,
    Problem,
    TooLarge,
    UnsupportedEncoding,
    error_description,
)

Json = dict[str, Any]

FASTAPI_ERRORS = ("HTTPValidationError", "ValidationError")
"""Models that FastAPI describes and that no response uses."""


class DescribedApp(FastAPI):
    """A FastAPI app whose description holds the errors that all routes share."""

    def openapi(self) -> Json:
        """The description; it is made once."""
        return self._described

    @cached_property
    def _described(self) -> Json:
        return with_problems(super().openapi())


def with_problems(described: Json) -> Json:
    """A copy of FastAPI's description in which the body of every error is a Problem."""
    schema = deepcopy(described)
    models = schema.setdefault("components", {}).setdefault("schemas", {})
    for name in FASTAPI_ERRORS:
        models.pop(name, None)
    models["Problem"] = Problem.model_json_schema()
    for item in schema["paths"].values():
        for method, operation in item.items():
            operation["responses"] = _responses(method, operation)
    for item in schema.get("webhooks", {}).values():
        for operation in item.values():  # FastAPI adds what it would respond itself
            operation["responses"] = {
                status: it
                for status, it in operation["responses"].items()
                if status not in ("200", "422")
            }
    return schema


def _responses(method: str, operation: Json) -> Json:
    """The responses of the operation in the order of their status."""
    successes = {status: it for status, it in operation["responses"].items() if status < "400"}
    meanings = {
        status: [it["description"]]
        for status, it in operation["responses"].items()
        if status >= "400" and not _is_of_fastapi(it)
    }
    for error in _shared_errors(method, operation):
        texts = meanings.setdefault(str(error.status), [])
        if not any(f"`{error.code}`" in text for text in texts):
            texts.append(error_description(error))
    problems = {status: _problem(" ".join(texts)) for status, texts in meanings.items()}
    return dict(sorted({**successes, **problems}.items()))


def _is_of_fastapi(response: Json) -> bool:
    return any(name in str(response.get("content")) for name in FASTAPI_ERRORS)


def _shared_errors(method: str, operation: Json) -> Iterator[type[LeadbatonError]]:
    """The errors that arise before the route runs, or from the database."""
    yield DatabaseAway
    if "security" in operation:
        yield from (UnknownKey, ExpiredKey, InactiveRep, WrongScope)
    if "parameters" in operation or "requestBody" in operation:
        yield InvalidRequest
    if method.upper() not in BODILESS:
        yield from (MalformedBody, TooLarge, UnsupportedEncoding, UnsupportedType, Overloaded)


def _problem(description: str) -> Json:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {PROBLEM_TYPE: {"schema": schema}}}
