"""The rows of the outbox reach Kafka in their order, whichever process or server fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import compress
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import select

from shared.clock import utc_now
from shared.contracts.topic import LogPartition, Outgoing, Sent
from shared.contracts.topics import HANDOFFS_CHANGED, MARKETING_EVENTS, SCORING
from shared.db.session import Sessions
from shared.db.tables import outbox as table
from shared.embedded.broker import Broker
from shared.embedded.postgres import PostgresServer
from shared.kafka.admin import Admin
from shared.kafka.config import KafkaConfig
from shared.kafka.errors import BrokerAway
from shared.kafka.producer import Ack, Producer
from shared.messaging import outbox
from shared.messaging.offsets import Move, advance, positions
from shared.messaging.relay import BATCH, Relay
from tests.conftest import kafka_on
from tests.engine import PATIENCE_S, append_to_outbox, records_in, running_relay, until

pytestmark = pytest.mark.postgres


@pytest.fixture
def admin(broker: KafkaConfig) -> Iterator[Admin]:
    with Admin(broker) as admin:
        yield admin


def record(key: str, value: int) -> Outgoing:
    return Outgoing("marketing.events", key.encode(), str(value).encode(), (("n", b"\xff"),))


def log_of(config: KafkaConfig, topic: str = "marketing.events") -> dict[str, list[int]]:
    """The values in the topic by key, in their order."""
    values: dict[str, list[int]] = {}
    for consumed in records_in(config, topic):
        values.setdefault((consumed.key or b"").decode(), []).append(int(consumed.value or b"0"))
    return values


def unpublished(sessions: Sessions) -> list[int]:
    with sessions() as session:
        return [int(row.record.value or b"0") for row in outbox.unpublished(session, limit=10_000)]


def count_rows(sessions: Sessions) -> int:
    with sessions() as session:
        return len(session.execute(select(table.c.id)).all())


def read_by_scoring(
    sessions: Sessions, log: UUID, next_offset: int, *, partitions: int = 3
) -> None:
    """Move the scoring group's offset to `next_offset` in every partition."""
    log_partitions = [LogPartition("marketing.events", log, at) for at in range(partitions)]
    with sessions.begin() as session:
        start = positions(session, SCORING, log_partitions)
        advance(session, SCORING, [Move(it, start[it], next_offset) for it in log_partitions])


def test_rows_are_published_in_their_order(
    sessions: Sessions, producer: Producer, admin: Admin, broker: KafkaConfig
) -> None:
    append_to_outbox(sessions, [record(f"k{at % 7}", at) for at in range(BATCH + 500)])
    relay = Relay(sessions, producer, admin, utc_now)

    assert relay.publish_batch()
    assert not relay.publish_batch()

    assert unpublished(sessions) == []
    assert log_of(broker) == {f"k{key}": list(range(key, BATCH + 500, 7)) for key in range(7)}


class Flaky:
    """A producer that refuses some values once, and then every later record of their key in the same call."""

    def __init__(self, producer: Producer, refused: set[int]) -> None:
        self.producer = producer
        self.refused = refused

    def send_all(self, records: Sequence[Sent]) -> list[Ack | Exception]:
        broken: set[bytes | None] = set()
        accepted: list[bool] = []
        for sent in records:
            if int(sent.value or b"0") in self.refused:
                self.refused.discard(int(sent.value or b"0"))
                broken.add(sent.key)
            accepted.append(sent.key not in broken)
        acks = iter(self.producer.send_all(list(compress(records, accepted))))
        return [next(acks) if took else BrokerAway("refused") for took in accepted]


def test_a_failed_send_holds_back_the_same_key_and_nothing_else(
    sessions: Sessions, producer: Producer, admin: Admin, broker: KafkaConfig
) -> None:
    append_to_outbox(sessions, [record("ab"[at % 2], at) for at in range(10)])
    relay = Relay(sessions, Flaky(producer, {4}), admin, utc_now)

    relay.publish_batch()
    assert unpublished(sessions) == [4, 6, 8]
    relay.publish_batch()
    assert unpublished(sessions) == []
    assert log_of(broker) == {"a": [0, 2, 4, 6, 8], "b": [1, 3, 5, 7, 9]}


def test_rows_that_were_read_ahead_wait_for_earlier_rows_of_their_key(
    sessions: Sessions, producer: Producer, admin: Admin, broker: KafkaConfig
) -> None:
    append_to_outbox(sessions, [record("ab"[at % 2], at) for at in range(2 * BATCH)])
    relay = Relay(sessions, Flaky(producer, {BATCH - 2}), admin, utc_now)

    while relay.publish_batch():
        pass

    assert unpublished(sessions) == []
    values = log_of(broker)
    assert values == {"a": list(range(0, 2 * BATCH, 2)), "b": list(range(1, 2 * BATCH, 2))}


def test_rows_are_kept_until_every_reader_has_read_them(
    sessions: Sessions, producer: Producer, admin: Admin
) -> None:
    append_to_outbox(sessions, [record("a", at) for at in range(4)])
    log = admin.topic_ids(["marketing.events"])["marketing.events"]
    Relay(sessions, producer, admin, utc_now).publish_batch()
    assert count_rows(sessions) == 4

    read_by_scoring(sessions, log, 3)
    Relay(sessions, producer, admin, utc_now).publish_batch()
    assert count_rows(sessions) == 1


def test_a_row_with_several_readers_waits_for_the_slowest_one(sessions: Sessions) -> None:
    topic = HANDOFFS_CHANGED
    log = UUID(int=5)
    append_to_outbox(sessions, [Outgoing(topic.name, b"k", b"1", ())])
    with sessions.begin() as session:
        [row] = outbox.unpublished(session, limit=10)
        outbox.mark_published(session, [(row, Ack(0, 0))], {topic.name: log}, utc_now())
    log_partition = LogPartition(topic.name, log, 0)
    for reader, left in zip(topic.readers, (1, 1, 0), strict=True):
        with sessions.begin() as session:
            positions(session, reader, [log_partition])
            advance(session, reader, [Move(log_partition, 0, 1)])
            outbox.trim(session)
        assert count_rows(sessions) == left


def test_a_row_of_a_dead_letter_topic_is_deleted_once_it_is_published(
    sessions: Sessions, producer: Producer, admin: Admin
) -> None:
    append_to_outbox(sessions, [Outgoing(MARKETING_EVENTS.dead, b"k", b"1", ())])
    Relay(sessions, producer, admin, utc_now).publish_batch()
    assert count_rows(sessions) == 0


def test_rows_that_were_not_read_are_published_again_to_a_new_log(
    sessions: Sessions, producer: Producer, admin: Admin, embedded_broker: Broker
) -> None:
    append_to_outbox(sessions, [record("a", at) for at in range(6)])
    log = admin.topic_ids(["marketing.events"])["marketing.events"]
    relay = Relay(sessions, producer, admin, utc_now)
    relay.publish_batch()
    read_by_scoring(sessions, log, 2)

    embedded_broker.kill()
    embedded_broker.start()
    append_to_outbox(sessions, [record("a", 6)])
    until(lambda: _publishes(relay) and unpublished(sessions) == [])

    assert log_of(kafka_on(embedded_broker))["a"] == [2, 3, 4, 5, 6]


def _publishes(relay: Relay) -> bool:
    try:
        relay.publish_batch()
    except BrokerAway:
        return False
    return True


def test_a_transaction_wakes_the_relay_before_its_pause_ends(
    sessions: Sessions, producer: Producer, broker: KafkaConfig
) -> None:
    """Without the notification the relay would look only after the time-out of `until`."""
    with running_relay(sessions, producer, broker, wait_s=PATIENCE_S + 10):
        for value in (1, 2, 3):
            append_to_outbox(sessions, [record("a", value)])
            until(lambda: unpublished(sessions) == [])
    assert log_of(broker) == {"a": [1, 2, 3]}


def test_the_second_relay_works_when_the_first_has_ended(
    sessions: Sessions, producer: Producer, broker: KafkaConfig
) -> None:
    counted = Counting(producer)
    with ExitStack() as second:
        with running_relay(sessions, producer, broker):
            append_to_outbox(sessions, [record("a", 1)])
            until(lambda: unpublished(sessions) == [])
            second.enter_context(running_relay(sessions, counted, broker))
            until(lambda: turned("relay standing by") > 0)
            append_to_outbox(sessions, [record("a", 2)])
            until(lambda: unpublished(sessions) == [])
            assert counted.records == 0
        append_to_outbox(sessions, [record("a", 3)])
        until(lambda: unpublished(sessions) == [])
    assert counted.records == 1
    assert log_of(broker) == {"a": [1, 2, 3]}
    assert turned("relay") >= turned("relay standing by")


def turned(loop: str) -> float:
    """The instant at which the loop last turned."""
    name = "leadbaton_loop_turned_timestamp_seconds"
    return REGISTRY.get_sample_value(name, {"loop": loop}) or 0.0


class Counting:
    """A producer that counts its records."""

    def __init__(self, producer: Producer) -> None:
        self.producer = producer
        self.records = 0

    def send_all(self, records: Sequence[Sent]) -> list[Ack | Exception]:
        self.records += len(records)
        return self.producer.send_all(records)


@pytest.mark.fault
def test_the_relay_goes_on_after_outages_of_the_broker_and_of_the_database(
    mortal_postgres: PostgresServer,
    mortal_sessions: Sessions,
    producer: Producer,
    broker: KafkaConfig,
    embedded_broker: Broker,
) -> None:
    sessions = mortal_sessions
    with running_relay(sessions, producer, broker):
        append_to_outbox(sessions, [record("a", 1)])
        until(lambda: unpublished(sessions) == [])

        embedded_broker.pause()
        append_to_outbox(sessions, [record("a", 2)])
        embedded_broker.resume()
        until(lambda: unpublished(sessions) == [])

        mortal_postgres.stop("immediate")
        mortal_postgres.start()
        append_to_outbox(sessions, [record("a", 3)])
        until(lambda: unpublished(sessions) == [])
    assert sorted(set(log_of(broker)["a"])) == [1, 2, 3]
