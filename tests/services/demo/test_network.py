"""The network between the senders and the API: it forwards all, and loses some answers."""

from __future__ import annotations

import httpx
import pytest

from services.demo.network import flaky_network
from tests.engine import PATIENCE_S
from tests.services.demo.recording import Answer, recording


def test_it_forwards_the_body_and_the_answer() -> None:
    with (
        recording(lambda _: Answer(401, {"code": "unknown_key"})) as api,
        flaky_network(api.url, loses=1000) as network,
    ):
        answer = httpx.post(f"{network.url}/v1/events", json={"events": []}, timeout=PATIENCE_S)

    assert (answer.status_code, answer.json()) == (401, {"code": "unknown_key"})
    assert api.posted[0].body == {"events": []}
    assert network.lost == 0


def test_it_loses_an_answer_after_the_work_is_done() -> None:
    with recording() as api, flaky_network(api.url, loses=2) as network:
        httpx.post(f"{network.url}/v1/events", json={"number": 1}, timeout=PATIENCE_S)
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.post(f"{network.url}/v1/events", json={"number": 2}, timeout=PATIENCE_S)

    assert [it.body["number"] for it in api.posted] == [1, 2]
    assert network.lost == 1


def test_an_api_that_is_away_is_a_closed_connection() -> None:
    with recording() as api:
        gone = api.url
    with flaky_network(gone) as network, pytest.raises(httpx.RemoteProtocolError):
        httpx.post(f"{network.url}/v1/events", json={}, timeout=PATIENCE_S)
