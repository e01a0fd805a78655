"""Tests of the errors in the descriptions of the APIs."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import FastAPI

from shared.http.openapi import with_problems
from tests.services.apis import Operation, operations


def codes(operation: Operation, status: str) -> str:
    """The description of a status of the operation."""
    return str(operation.described["responses"].get(status, {}).get("description", ""))


def test_every_operation_names_what_any_request_may_be_answered_with() -> None:
    for operation in operations():
        named = {"503": ["database_away"]}
        if operation.path != "/v1/sign-in":  # it takes no key
            named |= {"401": ["unknown_key", "expired_key"], "403": ["wrong_scope", "inactive_rep"]}
        if operation.parameters or "requestBody" in operation.described:
            named["422"] = ["invalid_request"] if operation.parameters else []
        if operation.method == "post":
            named["503"].append("overloaded")
            named |= {"400": ["malformed_body"], "413": ["too_large"]}
            named["415"] = ["unsupported_encoding", "unsupported_type"]
        for status, expected in named.items():
            for code in expected:
                assert f"`{code}`: " in codes(operation, status), (
                    operation.method,
                    operation.path,
                    status,
                    code,
                )


def test_every_error_is_described_as_the_problem_that_it_is() -> None:
    for operation in operations():
        for status, response in operation.described["responses"].items():
            if status >= "400":
                schema = {"$ref": "#/components/schemas/Problem"}
                content = {"application/problem+json": {"schema": schema}}
                assert response["content"] == content, (operation.path, status)
                assert response["description"].count("`database_away`") <= 1


def test_what_only_the_framework_answers_is_not_described() -> None:
    app = FastAPI()

    @app.post("/things")
    def parts(size: int) -> int:
        return size

    before: dict[str, Any] = app.openapi()
    described = with_problems(before)

    assert b"HTTPValidationError" in orjson.dumps(before), "the framework's own stays as it is"
    assert b"ValidationError" not in orjson.dumps(described)
    responses = described["paths"]["/things"]["post"]["responses"]
    assert list(responses) == ["200", "400", "413", "415", "422", "503"]
    assert described["components"]["schemas"]["Problem"]["required"][-2:] == ["code", "message"]
