"""Notifications as people get them: with links that work, as messages of Slack and Teams, and in no log or list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from standardwebhooks import Webhook

from services.routing.delivery.endpoint_tests import EndpointTester
from services.routing.delivery.links import MessageLinks
from services.routing.domain import notifications
from services.routing.domain.answer_links import PURPOSE
from services.routing.main import build_api
from shared.auth.derived_keys import derived_keys
from shared.db.session import Sessions
from tests.services.routing.builders import URL, entry, handoff, importing
from tests.services.routing.delivery.post import GRACE, LOOPBACK, Post
from tests.services.routing.delivery.receiver import Got, Reply, receiving
from tests.services.routing.domain.test_notifications import due

pytestmark = pytest.mark.postgres

KEY = SecretStr("bGVhZGJhdG9uLXRlc3RzLWxlYWRiYXRvbi10ZXN0cyE=")
LINKS = MessageLinks(
    "https://leads.example.com/", "https://console.example.com", derived_keys(KEY, PURPOSE)[0]
)


@pytest.fixture
def post(sessions: Sessions) -> Iterator[Post]:
    """An installation with a receiver, which adds links."""
    with receiving() as receiver:
        post = Post(sessions, receiver)
        post.dispatcher = replace(post.dispatcher, links=LINKS)
        yield post


def take(post: Post, format_: str) -> None:
    """Let Grace's endpoint, and those of the team and of ops, have this format."""
    endpoints = {
        path: {"url": post.receiver.url(path), "format": format_}
        for path in (GRACE, "/teams/sales", "/ops")
    }
    with post.sessions.begin() as session:
        importing(session, entry("grace", endpoint=endpoints[GRACE]))


def links_in(got: Got) -> dict[str, Any]:
    links: dict[str, Any] = orjson.loads(got.body)["data"]["links"]
    return links


def test_the_link_of_an_assignment_opens_its_page(post: Post) -> None:
    post.assign()
    post.run(until=1)

    [got] = post.receiver.got
    Webhook(post.secrets["rep/grace"]).verify(got.body, got.headers)
    links = links_in(got)
    assert links["answer"].startswith("https://leads.example.com/a/")
    assert links["console"].startswith("https://console.example.com/handoffs/")
    path = links["answer"].removeprefix("https://leads.example.com")
    with TestClient(build_api(post.sessions, time_source=post.now, secret_key=KEY)) as client:
        assert client.get(path).status_code == 200
        assert client.get(path).text.count("Accept") > 0


def test_every_attempt_has_the_same_bytes(post: Post) -> None:
    post.receiver.reply(GRACE, Reply(500), Reply(200))
    post.assign()
    post.run(until=1)
    post.time_offset += post.deliveries()[0].next_attempt_at - post.now()
    post.run(until=2)

    first, second = post.receiver.got
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_only_the_rep_gets_a_link_for_answers(post: Post) -> None:
    post.receiver.reply(GRACE, Reply(410))
    post.assign()
    post.run(until=3)

    by_path = {it.path: links_in(it) for it in post.receiver.got}
    assert "answer" in by_path[GRACE]
    assert "answer" not in by_path["/teams/sales"]
    assert "answer" not in by_path["/ops"]


def test_who_does_not_hold_the_handoff_gets_no_link_for_answers() -> None:
    assigned = notifications.assignment(handoff(), due(handoff()), public_url=URL)

    to_linus = assigned._replace(endpoint="rep/linus")
    withdrawn = assigned._replace(type="handoff.withdrawn")
    for other_notification in (to_linus, withdrawn):
        links = orjson.loads(LINKS.linked_body(other_notification))["data"]["links"]
        assert "answer" not in links
        assert "console" in links
    assert MessageLinks().linked_body(assigned) == assigned.body


def test_a_receiver_that_repeats_the_link_does_not_get_it_into_the_list_of_attempts(
    post: Post,
) -> None:
    post.dispatcher = replace(post.dispatcher, links=MessageLinks("http://x", "", LINKS.key))
    post.assign()
    post.run(until=1)
    token = links_in(post.receiver.got[0])["answer"].rpartition("/")[2]
    post.receiver.reply(GRACE, Reply(500, body=f"see http://x/a/{token}#accepted".encode()))
    post.assign("bea")
    post.run(until=2)

    details = [it.detail for it in post.attempts()]
    assert "see http://x/a/…#accepted" in details
    assert all(token not in it for it in details)


def test_slack_gets_a_message_and_takes_it_with_ok(post: Post) -> None:
    take(post, "slack")
    post.receiver.reply(GRACE, Reply(200, body=b"ok"))
    post.assign()
    post.run(until=1)

    message = orjson.loads(post.receiver.got[0].body)
    assert message["unfurl_links"] is False
    assert "|Accept>" in message["blocks"][-1]["text"]["text"]
    assert post.states() == [("rep/grace", "handoff.assigned", "delivered")]


def test_a_page_in_place_of_slack_is_no_success(post: Post) -> None:
    take(post, "slack")
    post.receiver.reply(GRACE, Reply(200, body=b"<html>Sign in</html>"), Reply(200, body=b"ok"))
    post.assign()
    post.run(until=1)

    assert post.states() == [("rep/grace", "handoff.assigned", "pending")]
    [attempt] = post.attempts()
    assert attempt.status == 200
    assert attempt.detail == "Slack did not answer `ok`: <html>Sign in</html>"
    post.time_offset += post.deliveries()[0].next_attempt_at - post.now()
    post.run(until=2)
    assert post.states() == [("rep/grace", "handoff.assigned", "delivered")]


def test_teams_gets_a_card_and_takes_it_with_any_2xx(post: Post) -> None:
    take(post, "teams")
    post.receiver.reply(GRACE, Reply(202))
    post.assign()
    post.run(until=1)

    message = orjson.loads(post.receiver.got[0].body)
    assert message["attachments"][0]["content"]["actions"][0]["title"] == "Accept"
    assert post.states() == [("rep/grace", "handoff.assigned", "delivered")]


@pytest.mark.parametrize(
    ("format_", "reply", "counts_as"),
    [
        ("standard", Reply(200, body=b"hello"), "delivered"),
        ("slack", Reply(200, body=b"ok"), "delivered"),
        ("slack", Reply(200, body=b"hello"), "refused"),
        ("teams", Reply(202), "delivered"),
    ],
    ids=["standard", "slack", "slack without ok", "teams"],
)
def test_a_test_of_an_endpoint_is_in_its_format(
    post: Post, format_: str, reply: Reply, counts_as: str
) -> None:
    take(post, format_)
    post.receiver.reply(GRACE, reply)

    tester = EndpointTester(post.sessions, KEY, LOOPBACK, post.now)
    tested = tester.send_test("rep/grace", actor="ops/olga")

    assert tested.is_delivered == (counts_as == "delivered")
    message = orjson.loads(post.receiver.got[0].body)
    assert {"standard": "data", "slack": "blocks", "teams": "attachments"}[format_] in message
    assert "rep/grace" in post.receiver.got[0].body.decode()
