"""Lists as CSV: one file of the parts that an API gives, bounded."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.console.apis import Service
from services.console.app import build_console
from services.console.exports import MAX_PARTS
from services.console.live import Channels
from tests.engine import PATIENCE_S
from tests.services.apis import SECRET_KEY
from tests.serving import serving


class Parts:
    """An API that gives a list of handoffs, of which each part has one row."""

    def __init__(self) -> None:
        self.count = 3
        self.queries: list[dict[str, str]] = []
        self.app = FastAPI()
        self.app.state.streams = Channels()
        self.app.get("/v1/key")(self.key)
        self.app.get("/v1/handoffs")(self.handoffs)

    def key(self) -> Response:
        """The key of whoever asks."""
        return JSONResponse({"scope": "ops", "subject": "olga"})

    def handoffs(self, request: Request) -> Response:
        """The row after the cursor, and the cursor of the next one."""
        self.queries.append(dict(request.query_params))
        if request.query_params.get("team") == "nowhere":
            return JSONResponse({"code": "invalid_request", "message": "no team"}, 422)
        number = int(request.query_params.get("after", "1"))
        link = f'<?state=won&after={number + 1}>; rel="next"'
        headers = {"link": link} if number < self.count else {}
        return Response(f"id,name\r\n{number},Ünal\r\n", headers=headers, media_type="text/csv")


@pytest.fixture
def parts() -> Parts:
    return Parts()


@pytest.fixture
def client(parts: Parts) -> Iterator[httpx.Client]:
    """A visitor who has signed in."""
    with serving(parts.app) as url:
        console = build_console(urls=dict.fromkeys(Service, url), secret_key=SECRET_KEY)
        with (
            serving(console) as console_url,
            httpx.Client(base_url=console_url, timeout=PATIENCE_S) as client,
        ):
            assert client.post("/sign-in", data={"key": "k"}).status_code == 303
            yield client


def test_the_parts_of_a_list_are_one_file(parts: Parts, client: httpx.Client) -> None:
    response = client.get("/handoffs.csv", params={"state": "won", "team": "sales"})

    assert response.text == "id,name\r\n1,Ünal\r\n2,Ünal\r\n3,Ünal\r\n"
    assert response.headers["content-disposition"] == 'attachment; filename="handoffs.csv"'
    assert [it.get("after") for it in parts.queries] == [None, "2", "3"]
    assert {(it["state"], it["team"], it["format"]) for it in parts.queries} == {
        ("won", "sales", "csv")
    }


def test_a_file_is_bounded(parts: Parts, client: httpx.Client) -> None:
    parts.count = 1_000
    assert len(client.get("/handoffs.csv").text.splitlines()) == MAX_PARTS + 1


def test_what_an_api_refuses_is_an_error_page(client: httpx.Client) -> None:
    response = client.get("/handoffs.csv", params={"team": "nowhere"})
    assert response.status_code == 422
    assert "no team" in response.text
