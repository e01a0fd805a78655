"""What a transaction said reaches Kafka, in order, whoever falls over on the way."""

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
    """What lies in the topic now, in order, by key."""
    values: dict[str, list[int]] = {}
    for consumed in records_in(config, topic):
        values.setdefault((consumed.key or b"").decode(), []).append(int(consumed.value or b"0"))
    return values


def waiting(sessions: Sessions) -> list[int]:
    with sessions() as session:
        return [int(row.record.value or b"0") for row in outbox.unpublished(session, limit=10_000)]


def kept(sessions: Sessions) -> int:
    with sessions() as session:
        return len(session.execute(select(table.c.id)).all())


def read_by_scoring(sessions: Sessions, log: UUID, upto: int, *, partitions: int = 3) -> None:
    """As if the scoring group had read so far in every partition."""
    log_partitions = [LogPartition("marketing.events", log, at) for at in range(partitions)]
    with sessions.begin() as session:
        held = positions(session, SCORING, log_partitions)
        advance(session, SCORING, [Move(it, held[it], upto) for it in log_partitions])


def test_rows_are_published_in_their_order(
    sessions: Sessions, producer: Producer, admin: Admin, broker: KafkaConfig
) -> None:
    append_to_outbox(sessions, [record(f"k{at % 7}", at) for at in range(BATCH + 500)])
    work = Relay(sessions, producer, admin, utc_now)

    assert work.turn()
    assert not work.turn()

    assert waiting(sessions) == []
    assert log_of(broker) == {f"k{key}": list(range(key, BATCH + 500, 7)) for key in range(7)}


class Flaky:
    """Refuses the first time what it is told to refuse, and nothing more of that key, as a producer does."""

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
    work = Relay(sessions, Flaky(producer, {4}), admin, utc_now)

    work.turn()
    assert waiting(sessions) == [4, 6, 8]
    work.turn()
    assert waiting(sessions) == []
    assert log_of(broker) == {"a": [0, 2, 4, 6, 8], "b": [1, 3, 5, 7, 9]}


def test_what_was_read_ahead_waits_for_what_was_refused_before_it(
    sessions: Sessions, producer: Producer, admin: Admin, broker: KafkaConfig
) -> None:
    append_to_outbox(sessions, [record("ab"[at % 2], at) for at in range(2 * BATCH)])
    work = Relay(sessions, Flaky(producer, {BATCH - 2}), admin, utc_now)

    while work.turn():
        pass

    assert waiting(sessions) == []
    values = log_of(broker)
    assert values == {"a": list(range(0, 2 * BATCH, 2)), "b": list(range(1, 2 * BATCH, 2))}


def test_rows_are_kept_until_every_reader_has_read_them(
    sessions: Sessions, producer: Producer, admin: Admin
) -> None:
    append_to_outbox(sessions, [record("a", at) for at in range(4)])
    log = admin.topic_ids(["marketing.events"])["marketing.events"]
    Relay(sessions, producer, admin, utc_now).turn()
    assert kept(sessions) == 4

    read_by_scoring(sessions, log, 3)
    Relay(sessions, producer, admin, utc_now).turn()
    assert kept(sessions) == 1


def test_a_row_with_two_readers_waits_for_the_slower_one(sessions: Sessions) -> None:
    topic = HANDOFFS_CHANGED
    log = UUID(int=5)
    append_to_outbox(sessions, [Outgoing(topic.name, b"k", b"1", ())])
    with sessions.begin() as session:
        [row] = outbox.unpublished(session, limit=10)
        outbox.mark_published(session, [(row, Ack(0, 0))], {topic.name: log}, utc_now())
    log_partition = LogPartition(topic.name, log, 0)
    for reader, left in zip(topic.readers, (1, 0), strict=True):
        with sessions.begin() as session:
            positions(session, reader, [log_partition])
            advance(session, reader, [Move(log_partition, 0, 1)])
            outbox.trim(session)
        assert kept(sessions) == left


def test_a_copy_on_a_dead_topic_goes_as_soon_as_it_is_published(
    sessions: Sessions, producer: Producer, admin: Admin
) -> None:
    append_to_outbox(sessions, [Outgoing(MARKETING_EVENTS.dead, b"k", b"1", ())])
    Relay(sessions, producer, admin, utc_now).turn()
    assert kept(sessions) == 0


def test_what_nobody_had_read_is_published_again_to_a_log_that_was_made_anew(
    sessions: Sessions, producer: Producer, admin: Admin, embedded_broker: Broker
) -> None:
    append_to_outbox(sessions, [record("a", at) for at in range(6)])
    log = admin.topic_ids(["marketing.events"])["marketing.events"]
    work = Relay(sessions, producer, admin, utc_now)
    work.turn()
    read_by_scoring(sessions, log, 2)

    embedded_broker.kill()
    embedded_broker.start()
    append_to_outbox(sessions, [record("a", 6)])
    until(lambda: _went_well(work) and waiting(sessions) == [])

    assert log_of(kafka_on(embedded_broker))["a"] == [2, 3, 4, 5, 6]


def _went_well(work: Relay) -> bool:
    try:
        work.turn()
    except BrokerAway:
        return False
    return True


def test_a_transaction_wakes_the_relay_long_before_it_would_look_by_itself(
    sessions: Sessions, producer: Producer, broker: KafkaConfig
) -> None:
    """By itself it would look only after the time-out of `until`."""
    with running_relay(sessions, producer, broker, wait_s=PATIENCE_S + 10):
        for value in (1, 2, 3):
            append_to_outbox(sessions, [record("a", value)])
            until(lambda: waiting(sessions) == [])
    assert log_of(broker) == {"a": [1, 2, 3]}


def test_the_second_relay_works_when_the_first_has_ended(
    sessions: Sessions, producer: Producer, broker: KafkaConfig
) -> None:
    counted = Counting(producer)
    with ExitStack() as second:
        with running_relay(sessions, producer, broker):
            append_to_outbox(sessions, [record("a", 1)])
            until(lambda: waiting(sessions) == [])
            second.enter_context(running_relay(sessions, counted, broker))
            until(lambda: turned("relay standing by") > 0)
            append_to_outbox(sessions, [record("a", 2)])
            until(lambda: waiting(sessions) == [])
            assert counted.records == 0
        append_to_outbox(sessions, [record("a", 3)])
        until(lambda: waiting(sessions) == [])
    assert counted.records == 1
    assert log_of(broker) == {"a": [1, 2, 3]}
    assert turned("relay") >= turned("relay standing by")


def turned(loop: str) -> float:
    """When the loop last went round."""
    name = "leadbaton_loop_turned_timestamp_seconds"
    return REGISTRY.get_sample_value(name, {"loop": loop}) or 0.0


class Counting:
    """A producer that knows how much it was given."""

    def __init__(self, producer: Producer) -> None:
        self.producer = producer
        self.records = 0

    def send_all(self, records: Sequence[Sent]) -> list[Ack | Exception]:
        self.records += len(records)
        return self.producer.send_all(records)


@pytest.mark.fault
def test_it_goes_on_after_outages_of_the_broker_and_of_the_database(
    mortal_postgres: PostgresServer,
    mortal_sessions: Sessions,
    producer: Producer,
    broker: KafkaConfig,
    embedded_broker: Broker,
) -> None:
    sessions = mortal_sessions
    with running_relay(sessions, producer, broker):
        append_to_outbox(sessions, [record("a", 1)])
        until(lambda: waiting(sessions) == [])

        embedded_broker.pause()
        append_to_outbox(sessions, [record("a", 2)])
        embedded_broker.resume()
        until(lambda: waiting(sessions) == [])

        mortal_postgres.stop("immediate")
        mortal_postgres.start()
        append_to_outbox(sessions, [record("a", 3)])
        until(lambda: waiting(sessions) == [])
    assert sorted(set(log_of(broker)["a"])) == [1, 2, 3]
