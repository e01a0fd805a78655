"""Lists whose page has no row among those that were examined say so, and lead further."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.console.apis import Service
from services.console.app import build_console
from services.console.live import Channels
from tests.engine import PATIENCE_S
from tests.services.apis import SECRET_KEY
from tests.serving import serving

REST: Mapping[str, object] = {
    "/v1/key": {"scope": "ops", "subject": "olga"},
    "/v1/events/sources": {"since": "2026-11-18T12:00:00Z", "items": []},
    "/v1/handoffs/counts": {"by_state": {}, "by_team": {}, "by_tier": {}},
    "/v1/sla/counts": {
        "open_breaches": 1,
        "at_risk": 1,
        "due_soon": 1,
        "has_more_due_soon": False,
        "running": 1,
    },
}
"""What is no list with a cursor."""

SLA_LISTS = {
    "breaches": "No promise is broken.",
    "at-risk": "No promise is at risk.",
    "upcoming": "No promise runs.",
}
"""Each list, and what it says where it is empty."""


def _answer(request: Request) -> Response:
    """A list has nothing among what its first page examines, and nothing after it."""
    is_first = "after" not in request.query_params
    page: dict[str, object] = {"items": [], "next": "further" if is_first else None}
    return JSONResponse(REST.get(request.url.path, page))


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """A visitor who has signed in."""
    api = FastAPI()
    api.state.streams = Channels()
    api.add_api_route("/v1/{path:path}", _answer, methods=["GET"])
    with serving(api) as url:
        console = build_console(urls=dict.fromkeys(Service, url), secret_key=SECRET_KEY)
        with (
            serving(console) as console_url,
            httpx.Client(base_url=console_url, timeout=PATIENCE_S) as client,
        ):
            assert client.post("/sign-in", data={"key": "k"}).status_code == 303
            yield client


def further(page: str) -> list[str]:
    """The addresses of all links `Look further`."""
    return [html.unescape(it) for it in re.findall(r'href="([^"]+)">Look further', page)]


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/events", "No event has come in this time."),
        ("/handoffs", "No handoff matches these filters."),
    ],
)
def test_a_list_is_looked_through_further_with_the_same_filters(
    client: httpx.Client, path: str, sentence: str
) -> None:
    first = client.get(path, params={"source": "crm"}).text
    [address] = further(first)
    second = client.get(address).text

    assert httpx.URL(address).params == httpx.QueryParams(source="crm", after="further")
    assert "None among those that were looked at." in first
    assert sentence not in first
    assert further(second) == []
    assert sentence in second


def test_each_list_of_the_board_is_looked_through_further_alone(client: httpx.Client) -> None:
    addresses = further(client.get("/sla", params={"tier": "hot"}).text)

    queries = [dict(httpx.URL(it).params) for it in addresses]
    assert queries == [{"tier": "hot", "show": it, "after": "further"} for it in SLA_LISTS]
    for address, sentence in zip(addresses, SLA_LISTS.values(), strict=True):
        page = client.get(address).text
        assert further(page) == []
        assert sentence in page
