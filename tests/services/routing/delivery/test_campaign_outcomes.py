"""What became of a campaign's leads reaches marketing: signed, once, in its format; ops see where it fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session
from standardwebhooks import Webhook

from services.routing.api.webhook_data import OutcomeData, UndeliveredData
from services.routing.domain.campaign_outcomes import outcome_notification
from services.routing.domain.formats import Format, encode
from services.routing.domain.notification_body import MAX_BYTES
from services.routing.domain.signing import encode_secret
from services.routing.handlers import on_campaigns_counted
from services.routing.main import build_api
from services.routing.queries.delivery_lists import list_deliveries
from services.routing.roster_file import RosterFile
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.contracts.payloads import CampaignCounted, RejectionCount, WonAmount
from shared.contracts.topic import Message, Record
from shared.contracts.topics import CAMPAIGNS_COUNTED
from shared.db.session import Sessions
from tests.builders import NOON, outgoing
from tests.services.routing.delivery.post import Post, endpoint
from tests.services.routing.delivery.receiver import Reply, receiving
from tests.services.routing.delivery.test_formats import LINKS

pytestmark = pytest.mark.postgres

PATH = "/marketing"
CAMPAIGN = "autumn <https://evil.example|click> *&*"


@pytest.fixture
def post(sessions: Sessions) -> Iterator[Post]:
    """An installation whose marketing has an endpoint, and which adds links."""
    with receiving() as receiver:
        post = Post(sessions, receiver)
        post.dispatcher = replace(post.dispatcher, links=LINKS)
        with sessions.begin() as session:
            endpoint(session, "marketing", receiver.url(PATH))
        yield post


def counted(campaign: str = "autumn", **fields: Any) -> CampaignCounted:
    usual: dict[str, Any] = {
        "day": date(2026, 11, 18),
        "counted_at": NOON,
        "qualified": 3,
        "accepted": 2,
        "rejected": 1,
        "contacted": 2,
        "won": 1,
        "rejections": (RejectionCount(reason="no_budget", count=1), RejectionCount(count=1)),
        "revenue": (WonAmount(currency="EUR", amount=12_000.5, wins=1),),
    }
    return CampaignCounted(campaign=campaign, **{**usual, **fields})


def read(session: Session, *payloads: CampaignCounted, post: Post | None = None) -> None:
    now = NOON if post is None else post.now()
    on_campaigns_counted(session, list(map(announced, payloads)), now)


def announced(payload: CampaignCounted) -> Message[CampaignCounted]:
    """The payload as the handler gets it."""
    sent = outgoing(CAMPAIGNS_COUNTED, payload, id=f"{payload.day}/{payload.campaign}")
    return CAMPAIGNS_COUNTED.decode(Record(sent.topic, 0, 0, sent.key, sent.value, sent.headers))


def send(post: Post, *payloads: CampaignCounted) -> None:
    with post.sessions.begin() as session:
        read(session, *payloads, post=post)


def test_marketing_gets_each_campaign_and_day_once(post: Post) -> None:
    for _ in range(3):  # a replay of the topic
        send(post, counted(), counted("spring"), counted(day=date(2026, 11, 19)))
    post.run(until=3)

    assert [it.path for it in post.receiver.got] == [PATH] * 3
    assert post.states() == [("marketing", "campaign.outcome", "delivered")] * 3
    [got, *_] = post.receiver.got
    body = Webhook(encode_secret(b"s" * 32)).verify(got.body, got.headers)
    assert body["type"] == "campaign.outcome"
    assert body["timestamp"] == "2026-11-19T00:00:00+00:00"
    outcome = OutcomeData.model_validate(body["data"]).outcome
    assert [(it.reason, it.count) for it in outcome.rejections] == [("no_budget", 1), (None, 1)]
    assert [(it.currency, it.amount, it.wins) for it in outcome.revenue] == [("EUR", 12_000.5, 1)]
    assert body["data"].keys() == {"outcome"}


def test_without_an_endpoint_nothing_is_kept(session: Session) -> None:
    read(session, counted())

    assert list_deliveries(session, limit=9) == []


def test_a_campaign_does_not_wait_for_another_one(post: Post) -> None:
    post.receiver.reply(PATH, Reply(500), Reply(200))
    send(post, counted())
    post.run(until=1)
    send(post, counted("spring"))
    post.run(until=2)

    assert [state for *_, state in post.states()] == ["pending", "delivered"]


def test_ops_see_what_marketing_could_not_be_told(post: Post) -> None:
    post.receiver.reply(PATH, Reply(410))
    send(post, counted())
    post.run(until=3)

    assert sorted(post.states()) == [
        ("marketing", "campaign.outcome", "exhausted"),
        ("ops", "endpoint.disabled", "delivered"),
        ("ops", "handoff.undelivered", "delivered"),
    ]
    for got in post.receiver.got[1:]:
        data = UndeliveredData.model_validate(orjson.loads(got.body)["data"])
        assert data.handoff is None
        assert data.outcome is not None
        assert data.undelivered.endpoint == "marketing"


def test_the_list_of_deliveries_has_no_handoff_for_it(post: Post) -> None:
    send(post, counted())
    with post.sessions.begin() as session:
        key = create_key(session, scope=KeyScope.OPS, subject="ops", now=NOON)
    headers = {"authorization": f"Bearer {key}"}
    with TestClient(build_api(post.sessions, time_source=post.now), headers=headers) as client:
        url = "/v1/deliveries?endpoint=marketing&type=campaign.outcome"
        [delivery] = client.get(url).json()["items"]
        csv = client.get(f"{url}&format=csv").text
        [marketing] = [it for it in client.get("/v1/endpoints").json()["items"] if it["pending"]]

    assert (delivery["handoff_id"], delivery["hop"]) == (None, 0)
    assert ",marketing,,0,campaign.outcome,pending," in csv
    assert marketing["id"] == "marketing"


@pytest.mark.parametrize("format_", [Format.SLACK, Format.TEAMS])
def test_chats_show_the_counts_and_no_markup_of_names(format_: Format) -> None:
    text = encode(format_, outcome_notification(counted(CAMPAIGN)).body).decode()

    for part in ("Leads of campaign", "2026-11-18", "No budget 1; No reason 1", "12,000.50 EUR"):
        assert part in text
    if format_ is Format.SLACK:
        assert "<https://evil.example" not in text


@pytest.mark.parametrize("name", ["x", "\U0001f389"])
def test_the_largest_outcome_is_below_the_limit(name: str) -> None:
    largest = counted(
        name * 200,
        rejections=tuple(RejectionCount(reason=name * 199 + chr(97 + it), count=1) for it in range(20)),
        revenue=tuple(WonAmount(currency=f"AA{chr(65 + it)}", amount=1e12, wins=1) for it in range(20)),
    )  # fmt: skip

    assert len(outcome_notification(largest).body) < MAX_BYTES


def test_the_file_of_reps_names_the_endpoint() -> None:
    rep = {"id": "grace", "name": "Grace", "email": "grace@example.com", "team": "sales"}
    url = "https://marketing.example.com/hook"

    file = RosterFile.model_validate({"reps": [rep], "marketing": {"url": url}})

    assert file.addresses()["marketing"].url == url
