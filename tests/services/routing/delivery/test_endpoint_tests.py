"""Tests of endpoints, enabling and deleting them, over HTTP with a real receiver."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from pydantic import SecretStr
from standardwebhooks import Webhook

from services.routing.delivery.endpoint_tests import EndpointTester
from services.routing.domain.endpoints import UnknownEndpoint
from services.routing.main import build_api
from services.routing.queries import endpoints
from services.routing.queries.breakers import Hang, open_breakers
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.db.session import Sessions
from shared.process.destinations import destinations
from tests.services.routing.delivery.post import GRACE, LOOPBACK, Post
from tests.services.routing.delivery.receiver import Reply, receiving
from tests.services.routing.delivery.test_signatures import verified_by_key

pytestmark = pytest.mark.postgres

KEY = SecretStr("bGVhZGJhdG9uLXRlc3RzLWxlYWRiYXRvbi10ZXN0cyE=")


@pytest.fixture
def post(sessions: Sessions) -> Iterator[Post]:
    """An installation with a receiver."""
    with receiving() as receiver:
        yield Post(sessions, receiver)


@pytest.fixture
def call(post: Post) -> Iterator[Callable[..., Response]]:
    """Calls the API with a key of ops: the method, and the path after `/v1/endpoints/`."""
    with post.sessions.begin() as session:
        key = create_key(session, scope=KeyScope.OPS, subject="olga", now=post.now())
    app = build_api(
        post.sessions, time_source=post.now, secret_key=KEY, destination_policy=LOOPBACK
    )
    with TestClient(app, headers={"authorization": f"Bearer {key}"}) as client:
        yield lambda method, path: client.request(method, f"/v1/endpoints/{path}")


def test_a_test_is_signed_and_its_response_is_shown(
    post: Post, call: Callable[..., Response]
) -> None:
    post.receiver.reply(GRACE, Reply(200, body=b"welcome"))

    response = call("POST", "rep/grace/test")

    assert response.status_code == 200, response.text
    outcome = response.json()
    assert (outcome["delivered"], outcome["status"], outcome["detail"]) == (True, 200, "welcome")
    assert 0 < outcome["took_ms"] < 15_000
    [got] = post.receiver.got
    assert got.headers["webhook-id"] == outcome["webhook_id"]
    body = Webhook(post.secrets["rep/grace"]).verify(got.body, got.headers)
    assert body["type"] == "endpoint.test"
    assert body["data"] == {"endpoint": "rep/grace", "actor": "ops/olga"}
    assert post.deliveries() == []


def test_a_test_is_signed_with_the_key_of_the_endpoint_too(
    post: Post, call: Callable[..., Response]
) -> None:
    public_key = call("POST", "rep/grace/rotate-key").json()["public_key"]

    call("POST", "rep/grace/test")

    [got] = post.receiver.got
    assert verified_by_key(public_key, got)
    Webhook(post.secrets["rep/grace"]).verify(got.body, got.headers)


@pytest.mark.parametrize("status", [302, 410, 500])
def test_a_refused_test_changes_nothing(
    post: Post, call: Callable[..., Response], status: int
) -> None:
    post.receiver.reply(GRACE, Reply(status, headers={"location": post.receiver.url("/other")}))

    outcome = call("POST", "rep/grace/test").json()

    assert (outcome["delivered"], outcome["status"]) == (False, status)
    assert [it.path for it in post.receiver.got] == [GRACE]
    with post.sessions() as session:
        assert endpoints.disabled_endpoints(session) == {}


def test_an_endpoint_takes_one_test_in_ten_seconds(
    post: Post, call: Callable[..., Response]
) -> None:
    codes = [call("POST", "rep/grace/test").status_code]
    refused = call("POST", "rep/grace/test")
    codes.append(call("POST", "ops/test").status_code)
    post.time_offset = timedelta(seconds=10)
    codes.append(call("POST", "rep/grace/test").status_code)

    assert codes == [200, 200, 200]
    assert (refused.status_code, refused.json()["code"]) == (429, "just_tested")
    assert refused.headers["retry-after"] == "10"
    assert len(post.receiver.got) == 3


def test_a_test_goes_only_where_webhooks_may_go(post: Post) -> None:
    tester = EndpointTester(post.sessions, KEY, destinations([]), post.now)

    tested = tester.send_test("rep/grace", actor="ops")

    assert tested.response.status is None
    assert "LEADBATON_ALLOW_NETWORKS" in tested.response.detail
    assert post.receiver.got == []


def test_a_test_waits_no_longer_than_a_delivery(post: Post) -> None:
    hold = threading.Event()
    post.receiver.reply(GRACE, Reply(hold=hold))
    tester = EndpointTester(post.sessions, KEY, LOOPBACK, post.now, patience_s=0.2)

    tested = tester.send_test("rep/grace", actor="ops")
    hold.set()

    assert (tested.response.status, tested.is_delivered) == (None, False)
    assert tested.response.detail == "no answer within 0.2 s"


def test_commands_for_an_endpoint_that_is_not_there_are_refused(
    post: Post, call: Callable[..., Response]
) -> None:
    for method, path in (
        ("POST", "rep/nobody/test"),
        ("POST", "rep/nobody/enable"),
        ("DELETE", "rep/nobody"),
    ):
        response = call(method, path)
        assert (response.status_code, response.json()["code"]) == (404, "unknown_endpoint")
    with pytest.raises(UnknownEndpoint, match="leadbaton endpoints list"):
        EndpointTester(post.sessions, KEY, LOOPBACK, post.now).send_test("rep/no", actor="ops")


def test_an_endpoint_that_is_enabled_gets_webhooks_again(
    post: Post, call: Callable[..., Response]
) -> None:
    with post.sessions.begin() as session:
        endpoints.disable_endpoint(session, "rep/grace", reason="gone", now=post.now())
        hang = Hang("rep/grace", "127.0.0.1:9", host_answers=True)
        open_breakers(session, [hang], now=post.now())

    states = [call("POST", "rep/grace/enable").json()["state"] for _ in range(2)]
    post.assign("ada")
    post.run(until=1)

    assert states == ["in_use", "in_use"]
    assert post.states() == [("rep/grace", "handoff.assigned", "delivered")]


def test_a_deleted_endpoint_gets_nothing_more(post: Post, call: Callable[..., Response]) -> None:
    post.assign("ada")

    deleted = call("DELETE", "rep/grace")
    post.assign("bea")

    assert deleted.json() == {"id": "rep/grace", "cancelled": 1}
    assert post.states() == [("rep/grace", "handoff.assigned", "cancelled")]
    with post.sessions() as session:
        assert endpoints.find_endpoint(session, "rep/grace") is None
