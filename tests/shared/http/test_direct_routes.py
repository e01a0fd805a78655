"""Tests that direct routes respond, are logged and are described like all other routes."""

from __future__ import annotations

import pytest
import structlog
from fastapi import APIRouter, Request
from fastapi.testclient import TestClient
from sqlalchemy import text
from starlette.responses import Response

from shared.db.session import engine_for, sessions_on
from shared.errors import Rejected
from shared.http.app import create_app
from shared.http.direct_routes import include_direct


@pytest.fixture
def client() -> TestClient:
    """An API with a direct route for parcels."""
    sessions = sessions_on(engine_for("postgresql://nobody@127.0.0.1:1/nothing"))
    app = create_app(title="t", summary="s", sessions=sessions, max_bytes=100)
    router = APIRouter()

    @router.post("/parcels")
    async def take(request: Request) -> Response:
        """One parcel."""
        match request.scope["body"]:
            case b"bomb":
                raise ZeroDivisionError
            case b"bad":
                raise Rejected("a bad one")
            case b"kept":
                with sessions() as session:
                    session.execute(text("select 1"))
        return Response(b"taken " + request.scope["body"])

    @router.get("/parcels/lost")
    def lost() -> str:
        return "none"

    include_direct(app, router)
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "answer"),
    [
        ("POST", "/parcels", b"one", 200, "taken one"),
        ("POST", "/parcels", b"bad", 422, "a bad one"),
        ("POST", "/parcels", b"kept", 503, "database_away"),
        ("POST", "/parcels", b"bomb", 500, "a fault of Leadbaton"),
        ("POST", "/parcels", b"x" * 101, 413, "too_large"),
        ("POST", "/parcels/", b"one", 404, "not_found"),
        ("GET", "/parcels", b"", 405, "method_not_allowed"),
        ("GET", "/parcels/lost", b"", 200, "none"),
    ],
)
def test_posts_are_answered_and_so_is_everything_else(
    client: TestClient, method: str, path: str, content: bytes, status: int, answer: str
) -> None:
    response = client.request(method, path, content=content)
    assert response.status_code == status
    assert answer in response.text


def test_posts_are_described(client: TestClient) -> None:
    described = client.get("/openapi.json").json()["paths"]
    assert described["/parcels"]["post"]["description"] == "One parcel."


def test_posts_are_measured_and_only_what_is_refused_is_logged(client: TestClient) -> None:
    with structlog.testing.capture_logs() as lines:
        for content in (b"one", b"bad", b"bomb"):
            client.post("/parcels", content=content)
        client.get("/parcels/lost")

    requests = [(it["route"], it["status"]) for it in lines if it["event"] == "request"]
    assert requests == [("/parcels", 422), ("/parcels", 500), ("/parcels/lost", 200)]
    measured = 'leadbaton_http_request_seconds_count{method="POST",route="/parcels",status="200"}'
    assert measured in client.get("/metrics").text
