"""Records that can never succeed become dead letters with a reason; all others are processed once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from shared.clock import utc_now
from shared.contracts.payloads import MarketingEvent
from shared.contracts.topic import Message, Outgoing, Record, Sent
from shared.contracts.topics import HANDOFFS_CHANGED, MARKETING_EVENTS, SCORING
from shared.db.session import Sessions
from shared.kafka.config import KafkaConfig
from shared.kafka.producer import Producer
from shared.messaging import dead_letters, outbox
from shared.messaging.consumer import Subscription, consume
from shared.messaging.dead_letters import DeadLetter
from tests.builders import NOON
from tests.engine import (
    Ledger,
    dead_letter_codes,
    each_once,
    events,
    ids,
    records_in,
    running_relay,
    running_worker,
    until,
)

pytestmark = [pytest.mark.postgres, pytest.mark.fault]
EITHER = pytest.mark.parametrize(
    "broker",
    ["embedded_broker", pytest.param("apache_kafka", marks=pytest.mark.kafka)],
    indirect=True,
)


def test_bad_records_of_the_topic_become_dead_letters_and_the_others_are_processed_once(
    sessions: Sessions, broker: KafkaConfig, producer: Producer, ledger: Ledger
) -> None:
    good = events(9)
    noise = Outgoing(MARKETING_EVENTS.name, good[0].key, b"{not json", good[0].headers)
    foreign = Outgoing(MARKETING_EVENTS.name, good[0].key, b"{}", ())
    future = replace(good[4], headers=(("ce_type", b"leadbaton.marketing.events.v2"),))
    producer.send_all([*good[:4], noise, future, foreign, *good[4:]])

    def fails_for_7(
        session: Session, messages: Sequence[Message[MarketingEvent]], now: datetime
    ) -> None:
        ledger(session, messages, now)
        if any(it.payload.id == "7" for it in messages):
            raise ZeroDivisionError

    with running_worker(sessions, broker, fails_for_7):
        ledger.wait_for([it for it in ids(9) if it != "7"])
        until(lambda: len(dead_letter_codes(sessions)) == 4)

    assert ledger.effect_counts() == {id_: 1 for id_ in ids(9) if id_ != "7"}
    assert sorted(dead_letter_codes(sessions)) == [
        "handler_failed",
        "undecodable_record",
        "undecodable_record",
        "unknown_version",
    ]


class Noise(str):
    """A header's name as only a foreign client writes it: no UTF-8."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        return b"\xff\xfe"


@EITHER
def test_a_header_whose_name_is_no_utf_8_makes_a_dead_letter_of_that_record_alone(
    sessions: Sessions, broker: KafkaConfig, producer: Producer, ledger: Ledger
) -> None:
    good = events(5)
    odd = replace(good[2], headers=(*good[2].headers, (Noise("noise"), b"x")))
    producer.send_all([*good[:2], odd, *good[3:]])

    with running_worker(sessions, broker, ledger):
        ledger.wait_for([it for it in ids(5) if it != "2"])
        until(lambda: len(dead_letter_codes(sessions)) == 1)

    assert ledger.effect_counts() == {id_: 1 for id_ in ids(5) if id_ != "2"}
    assert dead_letter_codes(sessions) == ["undecodable_record"]


def test_a_dead_letter_that_is_replayed_is_processed(
    sessions: Sessions, broker: KafkaConfig, producer: Producer, ledger: Ledger
) -> None:
    producer.send_all(events(5))
    broken = threading.Event()
    broken.set()

    def fails_while_broken(
        session: Session, messages: Sequence[Message[MarketingEvent]], now: datetime
    ) -> None:
        ledger(session, messages, now)
        if broken.is_set() and any(it.payload.id == "3" for it in messages):
            raise ZeroDivisionError

    with (
        running_worker(sessions, broker, fails_while_broken),
        running_relay(sessions, producer, broker),
    ):
        until(lambda: len(dead_letter_codes(sessions)) == 1)
        broken.clear()
        with sessions.begin() as session:
            dead_letters.replay(session, now=utc_now())
        ledger.wait_for(ids(5))
    assert ledger.effect_counts() == each_once(5)


@EITHER
def test_a_record_without_key_or_value_is_published_and_replayed_without_it(
    sessions: Sessions, broker: KafkaConfig, producer: Producer
) -> None:
    incomplete = [
        Sent(HANDOFFS_CHANGED.name, b"k", None, ()),
        Sent(HANDOFFS_CHANGED.name, None, b"1", ()),
    ]
    with sessions.begin() as session:
        added = [
            DeadLetter(
                Record(it.topic, 0, offset, it.key, it.value, it.headers),
                UUID(int=7),
                "c",
                "",
                1,
                NOON,
                NOON,
            )
            for offset, it in enumerate(incomplete)
        ]
        dead_letters.add(session, "leadbaton.sla", added)
        dead_letters.replay(session, now=NOON)

    with running_relay(sessions, producer, broker):
        until(lambda: not unpublished(sessions))

    for topic in (HANDOFFS_CHANGED.dead, HANDOFFS_CHANGED.name):
        assert {(it.key, it.value) for it in records_in(broker, topic)} == {
            (b"k", None),
            (None, b"1"),
        }


def unpublished(sessions: Sessions) -> list[outbox.Row]:
    with sessions() as session:
        return outbox.unpublished(session, limit=10)


def test_a_worker_that_fails_for_every_record_exits_and_loses_nothing(
    sessions: Sessions, broker: KafkaConfig, producer: Producer, ledger: Ledger
) -> None:
    producer.send_all(events(40))

    def bad_deploy(
        _session: Session, _messages: Sequence[Message[MarketingEvent]], _now: datetime
    ) -> None:
        raise ZeroDivisionError

    with pytest.raises(SystemExit) as ended:
        consume(
            SCORING,
            [Subscription(MARKETING_EVENTS, bad_deploy)],
            config=broker,
            sessions=sessions,
            time_source=utc_now,
            stop=threading.Event(),
        )
    assert ended.value.code == 70
    with running_worker(sessions, broker, ledger):
        until(lambda: len(ledger.effect_counts()) + len(dead_letter_codes(sessions)) == 40)
    assert set(ledger.effect_counts().values()) == {1}
    assert len(dead_letter_codes(sessions)) < 20
