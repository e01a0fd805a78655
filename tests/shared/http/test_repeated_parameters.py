"""Query parameters that are named more than once are refused, unless they are lists."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Query
from fastapi.testclient import TestClient
from pydantic import BaseModel, Field

from services.alignment.main import build_api as alignment
from services.routing.main import build_api as routing
from services.sla_monitor.main import build_api as sla
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.clock import utc_now
from shared.db.session import Sessions
from shared.http.app import create_app

pytestmark = pytest.mark.postgres


class Parameters(BaseModel):
    """Parameters of a route."""

    team: str = ""
    tag: list[str] | None = None
    numbers: tuple[int, ...] = Field(default=(), alias="number")


@pytest.fixture
def client(sessions: Sessions) -> TestClient:
    """An app with a route of a list and a text, below a prefix and with a part of the path."""
    app = create_app(title="t", summary="s", sessions=sessions)
    router = APIRouter()

    @router.get("/things/{id}")
    def things(
        id: str, team: str = "", tag: Annotated[list[str] | None, Query(max_length=3)] = None
    ) -> dict[str, Any]:
        return {"id": id, "team": team, "tag": tag}

    @router.get("/models")
    def models(parameters: Annotated[Parameters, Query()]) -> Parameters:
        return parameters

    app.include_router(router, prefix="/v1")
    return TestClient(app)


@pytest.mark.parametrize(
    ("query", "name", "count"),
    [
        ("team=a&team=b", "team", 2),
        ("team=a&team=a&team=a", "team", 3),
        ("team=&tag=x&team=b&tag=y", "team", 2),
        ("team=a&%74eam=b", "team", 2),
        ("nobody=1&nobody=2", "nobody", 2),
    ],
)
def test_a_repeated_parameter_is_refused_by_its_name(
    client: TestClient, query: str, name: str, count: int
) -> None:
    response = client.get(f"/v1/things/7?{query}")

    problem = response.json()
    assert (response.status_code, problem["code"]) == (422, "invalid_request")
    assert response.headers["content-type"] == "application/problem+json"
    what = f"it is named {count} times: name it once"
    assert problem["message"] == f"query.{name}: {what}"
    assert problem["faults"] == [{"where": f"query.{name}", "what": what}]


def test_lists_are_repeated(client: TestClient) -> None:
    response = client.get("/v1/things/7?tag=a&tag=b&team=c")

    assert response.json() == {"id": "7", "team": "c", "tag": ["a", "b"]}
    assert client.get("/v1/things/7?tag=a&tag=b&tag=c&tag=d").status_code == 422
    models = client.get("/v1/models?tag=a&tag=b&number=1&number=2")
    assert models.json() == {"team": "", "tag": ["a", "b"], "number": [1, 2]}
    assert client.get("/v1/models?team=a&tag=b&tag=c&team=d").status_code == 422


@pytest.mark.parametrize(
    ("build", "path"),
    [
        (alignment, "/v1/alignment?team=a&team=b"),
        (alignment, "/v1/promises?period=2026-11&period=2026-10"),
        (routing, "/v1/handoffs?rep=a&rep=b"),
        (sla, "/v1/sla/breaches?team=a&team=b"),
    ],
)
def test_every_api_refuses_them(sessions: Sessions, build: Any, path: str) -> None:
    with sessions.begin() as session:
        key = create_key(session, scope=KeyScope.OPS, subject="ops", now=utc_now())
    with TestClient(build(sessions), headers={"authorization": f"Bearer {key}"}) as client:
        assert "times: name it once" in client.get(path).json()["message"]


def test_states_of_handoffs_are_a_list(sessions: Sessions) -> None:
    with sessions.begin() as session:
        key = create_key(session, scope=KeyScope.OPS, subject="ops", now=utc_now())
    with TestClient(routing(sessions), headers={"authorization": f"Bearer {key}"}) as client:
        response = client.get("/v1/handoffs?state=waiting&state=assigned")

    assert response.status_code == 200
