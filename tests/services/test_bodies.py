"""No body is too much for an API: what it cannot read it refuses as a problem, shorter than what was sent."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.db.session import Sessions
from shared.http.problems import PROBLEM_TYPE
from tests.builders import NOON
from tests.services.apis import apis_on, operations

pytestmark = pytest.mark.postgres

NOBODY = "00000000-0000-0000-0000-000000000000"

BODIES = {
    "a name with half a pair": rb'{"\ud800": 1}',
    "a name with the other half": rb'{"a\udfffb": 1}',
    "a name with a NUL": rb'{"a\u0000b": 1}',
    "a long name": b'{"' + b"x" * 500_000 + b'": 1}',
    "many names": b"{" + b",".join(b'"x%d":1' % number for number in range(50_000)) + b"}",
    "a value with half a pair": rb'{"hop": "\ud800", "reason": "\ud800", "channel": "\ud800"}',
    "a deep list": b'{"hop": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a deep object": b'{"hop":' * 100_000 + b"1" + b"}" * 100_000,
    "deep, but not too deep to read": b'{"hop": ' + b"[" * 500 + b"]" * 500 + b"}",
    "more digits than Python reads": b'{"hop": ' + b"9" * 5_000 + b"}",
    "more digits than a float holds": b'{"hop": 1' + b"0" * 400 + b"}",
    "no number": b'{"hop": NaN}',
    "infinite": b'{"hop": -Infinity}',
    "no UTF-8": b'{"hop": "\xff\xfe"}',
    "half an escape": rb'{"hop": "\ud8"}',
    "a list": b"[" + b"1," * 100_000 + b"1]",
    "no JSON": b"{",
}

WITH_BODY = [it for it in operations() if "requestBody" in it.described and it.api != "scoring"]


@pytest.fixture(scope="module")
def clients(module_sessions: Sessions) -> dict[str, TestClient]:
    """A client of each API, with a key for everything."""
    with module_sessions.begin() as session:
        key = create_key(session, scope=KeyScope.OPS, subject="ops", now=NOON)
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    return {
        name: TestClient(app, headers=headers, raise_server_exceptions=False)
        for name, app in apis_on(module_sessions).items()
    }


@pytest.mark.parametrize("body", BODIES)
def test_every_body_is_refused_by_name_and_in_few_words(
    clients: dict[str, TestClient], body: str
) -> None:
    for operation in WITH_BODY:
        path = operation.path.replace("{id}", NOBODY)
        answer = clients[operation.api].request(operation.method, path, content=BODIES[body])
        assert answer.status_code in (400, 422), (path, answer.text[:500])
        assert answer.json()["code"] in ("malformed_body", "invalid_request"), path
        assert answer.headers["content-type"] == PROBLEM_TYPE
        assert len(answer.content) < 20_000, "an error repeats what was sent"
    assert len(WITH_BODY) >= 10
