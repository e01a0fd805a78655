"""Marketing learns what became of its campaigns: one signed webhook a campaign and day, through the broker."""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from services.alignment.handlers.daily import announce_outcomes
from services.alignment.handlers.handoffs import on_handoffs_changed
from services.alignment.handlers.promises import on_sla_changed
from services.alignment.handlers.qualifications import on_leads_qualified
from services.alignment.handlers.touches import on_leads_touched
from services.cli.processes import (
    ALIGNMENT_API,
    ALIGNMENT_WORKER,
    RELAY,
    ROUTING_API,
    ROUTING_WORKER,
)
from shared.clock import utc_now
from shared.contracts.topics import (
    ALIGNMENT,
    CAMPAIGNS_COUNTED,
    HANDOFFS_CHANGED,
    LEADS_QUALIFIED,
    LEADS_TOUCHED,
    SLA_CHANGED,
)
from shared.db.session import Sessions, engine_for, sessions_on
from shared.kafka import config
from shared.kafka.admin import topic_ids
from shared.kafka.producer import Producer
from shared.messaging.consumer import Subscription, consume
from shared.messaging.lag import measure
from shared.messaging.relay import relay
from shared.process.periodic import run_periodically
from shared.process.settings import Settings
from tests.journey.receiver import ReceivedWebhook
from tests.journey.world import Json, World, event, until

pytestmark = [pytest.mark.journey, pytest.mark.postgres]

UNTIL_TOMORROW = timedelta(hours=26)
"""At every time of a day it leads into the next one, later than the hour after which a day is counted."""
STOP_S = 30.0
POSITIONS = text(
    "select partition, next_offset from messaging.offsets where next_offset > 0 and topic_id = :id "
    "and consumer_group = 'leadbaton.routing'"
)
TO_THE_BEGINNING = text(
    "update messaging.offsets set next_offset = 0 where topic_id = :id "
    "and consumer_group = 'leadbaton.routing'"
)
SUBSCRIPTIONS: list[Subscription[Any]] = [
    Subscription(LEADS_QUALIFIED, on_leads_qualified),
    Subscription(LEADS_TOUCHED, on_leads_touched),
    Subscription(HANDOFFS_CHANGED, on_handoffs_changed),
    Subscription(SLA_CHANGED, on_sla_changed),
]


def test_marketing_gets_what_became_of_each_campaign_once(running: World) -> None:
    autumn, spring = (f"{it}-{secrets.token_hex(4)}" for it in ("autumn", "spring"))
    won, rejected, _open, accepted = hand_over(running, autumn, autumn, autumn, spring)
    answer(running, won, "accept")
    answer(running, won, "contact", channel="phone", outcome="reached")
    answer(running, won, "win", amount=9000.55, currency="EUR")
    answer(running, rejected, "reject", reason="no_budget")
    answer(running, accepted, "accept")
    until(
        lambda: (
            counts(running, autumn)
            == Counter(qualified=3, accepted=1, rejected=1, contacted=1, won=1)
        )
    )
    until(lambda: counts(running, spring) == Counter(qualified=1, accepted=1))

    with next_day(running):
        webhooks = until(lambda: webhooks_of(running, {autumn, spring}), why="marketing is told")

    check_autumn(totals(webhooks, autumn))
    assert totals(webhooks, spring) == {"qualified": 1, "accepted": 1}
    assert {it.headers["webhook-id"] for it in webhooks} == {it.id for it in webhooks}
    assert len({it.id for it in webhooks}) == len({day_of(it) for it in webhooks})
    assert not [it for it in running.receiver.faults if it.startswith("marketing")]

    answer(
        running, accepted, "win", amount=1, currency="EUR"
    )  # late news, of a day that was counted
    until(lambda: counts(running, spring)["won"] == 1, why="the API has late news")
    with next_day(running) as has_ticked:
        until(lambda: has_ticked(3), why="the worker has started again")
    read_again(running)

    assert ids_of(running, {autumn, spring}) == {it.id for it in webhooks}
    sent = running.get(ROUTING_API, "/v1/deliveries", type="campaign.outcome", limit=200)["items"]
    assert {it["state"] for it in sent} == {"delivered"}
    assert {it.id for it in webhooks} == {it["id"] for it in sent}


def hand_over(running: World, *campaigns: str) -> list[str]:
    """The ids of handoffs that a rep has: of one lead for each of these campaigns."""
    emails = [running.fresh("campaign") for _ in campaigns]
    context = [{"campaign": {"source": "linkedin", "name": it}} for it in campaigns]
    running.send(
        [
            event(email, "demo_requested", "asks", context=it)
            for email, it in zip(emails, context, strict=True)
        ]
    )
    return [str(running.handoff(it, "assigned")["id"]) for it in emails]


def answer(running: World, handoff_id: str, verb: str, **body: Any) -> None:
    response = running.answer("ada", handoff_id, verb, **body)
    assert response.status_code == 200, response.text


def counts(running: World, campaign: str) -> Counter[str]:
    """What alignment's API has counted of the campaign by now."""
    return figures(running.get(ALIGNMENT_API, f"/v1/campaigns/{campaign}/outcomes"))


def figures(outcome: Json) -> Counter[str]:
    """The counts of an outcome that are not 0."""
    names = ("qualified", "accepted", "rejected", "contacted", "won")
    return Counter({name: outcome[name] for name in names if outcome[name]})


def webhooks_of(running: World, campaigns: set[str]) -> list[ReceivedWebhook]:
    """What the endpoint `marketing` has received of these campaigns, once there is something of each."""
    received = [it for it in list(running.receiver.webhooks) if it.type == "campaign.outcome"]
    own = [it for it in received if outcome_in(it)["campaign"] in campaigns]
    assert {it.endpoint for it in own} <= {"marketing"}
    return own if {outcome_in(it)["campaign"] for it in own} == campaigns else []


def ids_of(running: World, campaigns: set[str]) -> set[str]:
    return {it.id for it in webhooks_of(running, campaigns)}


def outcome_in(webhook: ReceivedWebhook) -> Json:
    return dict(webhook.body["data"]["outcome"])


def day_of(webhook: ReceivedWebhook) -> tuple[str, str]:
    outcome = outcome_in(webhook)
    return outcome["day"], outcome["campaign"]


def totals(webhooks: list[ReceivedWebhook], campaign: str) -> Counter[str]:
    """The counts of the campaign; of two days, where midnight came while its leads were answered."""
    own = [outcome_in(it) for it in webhooks if outcome_in(it)["campaign"] == campaign]
    counted = sum(map(figures, own), Counter[str]())
    for outcome in own:
        counted.update({it["reason"]: it["count"] for it in outcome["rejections"]})
        counted.update({it["currency"]: round(it["amount"] * 100) for it in outcome["revenue"]})
    return counted


def check_autumn(counted: Counter[str]) -> None:
    assert counted == {
        "qualified": 3,
        "accepted": 1,
        "rejected": 1,
        "contacted": 1,
        "won": 1,
        "no_budget": 1,
        "EUR": 900_055,
    }


@contextmanager
def next_day(running: World) -> Iterator[Callable[[int], bool]]:
    """Run the relay and alignment's worker on the next day, in place of their processes.

    It yields a function that says whether the worker has ticked so often.
    """
    settings = running.installation.stack.settings()
    with (
        running.without(RELAY, ALIGNMENT_WORKER),
        _engine_on(settings) as engine,
        _threads(settings, sessions_on(engine)) as ticks,
    ):
        yield lambda count: len(ticks) >= count


@contextmanager
def _engine_on(settings: Settings) -> Iterator[Engine]:
    engine = engine_for(settings.database_url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _threads(settings: Settings, sessions: Sessions) -> Iterator[list[datetime]]:
    kafka = config.of(settings)
    stop, ticks = threading.Event(), list[datetime]()

    def tick(session: Session, now: datetime) -> bool:
        ticks.append(now)
        return announce_outcomes(session, now)

    def run(function: Callable[..., None], *arguments: Any, **options: Any) -> threading.Thread:
        clock = {"config": kafka, "stop": stop, "time_source": _tomorrow}
        thread = threading.Thread(target=function, args=arguments, kwargs={**clock, **options})
        thread.start()
        return thread

    with closing(Producer(kafka)) as producer:
        threads = [
            run_periodically("lag", partial(measure, sessions, kafka, _tomorrow), stop, every_s=1),
            run(relay, sessions, producer),
            run(consume, ALIGNMENT, SUBSCRIPTIONS, sessions=sessions, tick=tick),
        ]
        try:
            yield ticks
        finally:
            stop.set()
            for thread in threads:
                thread.join(STOP_S)
            assert not any(it.is_alive() for it in threads)


def _tomorrow() -> datetime:
    return utc_now() + UNTIL_TOMORROW


def read_again(running: World) -> None:
    """Let routing read `campaigns.counted` from its beginning once more, until it has read as much as before."""
    settings = running.installation.stack.settings()
    [topic_id] = topic_ids(config.of(settings), [CAMPAIGNS_COUNTED.name]).values()
    present = {"id": topic_id}
    with _engine_on(settings) as engine:
        with running.without(ROUTING_WORKER), engine.begin() as connection:
            before = connection.execute(POSITIONS, present).all()
            connection.execute(TO_THE_BEGINNING, present)

        def has_read() -> bool:
            with engine.connect() as connection:
                return set(before) <= set(connection.execute(POSITIONS, present).all())

        assert before
        until(has_read, why="routing has read it again")
