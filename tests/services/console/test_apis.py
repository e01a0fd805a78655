"""What the console makes of the answers of an API, and of what is none."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.responses import JSONResponse, Response

from services.console.apis import Connections, Gap, Refusal, Service, ServiceAway, SignedOut
from services.console.live import Channels
from shared.errors import LeadbatonError
from tests.serving import serving


def server() -> FastAPI:
    """A server with one path for each kind of answer."""
    app = FastAPI()
    app.state.streams = Channels()

    @app.get("/query")
    def query(name: str) -> dict[str, str]:
        return {"name": name}

    @app.get("/nothing")
    def nothing() -> Response:
        return Response(status_code=204)

    @app.get("/text")
    def text() -> Response:
        return Response("<p>a proxy</p>")

    @app.get("/problem/{status}/{code}")
    def problem(status: int, code: str) -> Response:
        return JSONResponse({"code": code, "message": f"why {code}"}, status)

    @app.get("/broken")
    def broken() -> Response:
        return Response("a bug", 500)

    return app


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(server()) as running:
        yield running


async def _get(url: str, path: str, **parameters: str | None) -> object:
    connections = Connections(dict.fromkeys(Service, url))
    try:
        return await connections.apis("k").get(Service.SLA, path, **parameters)
    finally:
        await connections.close()


def test_answers_are_json_or_nothing(url: str) -> None:
    assert asyncio.run(_get(url, "/query", name="ada", team=None)) == {"name": "ada"}
    assert asyncio.run(_get(url, "/nothing")) is None


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/text", ServiceAway),
        ("/problem/503/unavailable", ServiceAway),
        ("/problem/401/unknown_key", SignedOut),
        ("/problem/403/inactive_rep", SignedOut),
        ("/problem/404/unknown_lead", Refusal),
        ("/broken", Refusal),
    ],
)
def test_other_answers_are_errors(url: str, path: str, error: type[LeadbatonError]) -> None:
    with pytest.raises(error):
        asyncio.run(_get(url, path))


def test_a_server_that_is_not_there_is_away() -> None:
    with pytest.raises(ServiceAway, match="the SLA monitor does not answer"):
        asyncio.run(_get("http://127.0.0.1:9", "/query"))


async def _parts(url: str) -> dict[str, object]:
    connections = Connections(dict.fromkeys(Service, url))
    apis = connections.apis("k")
    try:
        return await apis.parts(
            here=apis.get(Service.SLA, "/query", name="ada"),
            away=apis.get(Service.SLA, "/text"),
            broken=apis.get(Service.SLA, "/broken"),
        )
    finally:
        await connections.close()


def test_a_part_that_is_away_is_a_gap(url: str) -> None:
    parts = asyncio.run(_parts(url))
    assert parts["here"] == {"name": "ada"}
    assert isinstance(parts["away"], Gap)
    assert parts["broken"] == Gap("the SLA monitor answered 500")


async def _refused_part(url: str) -> None:
    connections = Connections(dict.fromkeys(Service, url))
    try:
        await connections.apis("k").parts(
            refused=connections.apis("k").get(Service.SLA, "/problem/404/unknown_lead")
        )
    finally:
        await connections.close()


def test_a_part_that_is_refused_is_no_gap(url: str) -> None:
    with pytest.raises(Refusal, match="why unknown_lead"):
        asyncio.run(_refused_part(url))
