"""The lag of the outbox and of the groups is measured while no worker runs, too."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from shared.clock import utc_now
from shared.contracts.topic import LogPartition
from shared.contracts.topics import MARKETING_EVENTS, SCORING
from shared.db.session import Sessions
from shared.kafka.admin import end_offsets
from shared.kafka.config import KafkaConfig
from shared.kafka.errors import BrokerAway
from shared.kafka.oldest import oldest_unread
from shared.kafka.producer import Producer
from shared.messaging import offsets
from shared.messaging.lag import behind, measure
from shared.messaging.offsets import Move
from shared.messaging.stored_lag import stored_lags
from tests.engine import append_to_outbox, events, producing

pytestmark = pytest.mark.postgres


def gauge(name: str, **labels: str) -> float | None:
    """The value that a scrape reads."""
    return REGISTRY.get_sample_value(name, labels)


def test_the_lag_of_a_group_counts_by_the_offsets_in_postgresql(
    sessions: Sessions, broker: KafkaConfig
) -> None:
    with producing(broker) as producer:
        producer.send_all(events(10))
    ends = end_offsets(broker, [MARKETING_EVENTS.name])
    assert sum(ends.values()) > 0
    before = sum(it.records for it in behind(sessions, broker) if it.group == SCORING)
    assert before == sum(ends.values())

    log_partition, end = max(ends.items(), key=lambda it: it[1])
    with sessions.begin() as session:
        offsets.positions(session, SCORING, [log_partition])
        offsets.advance(session, SCORING, [Move(log_partition, 0, end)])
    measure(sessions, broker, utc_now)

    partition = str(log_partition.partition)
    lag = gauge(
        "leadbaton_lag_records", group=SCORING, topic=log_partition.topic, partition=partition
    )
    assert lag == 0
    after = sum(it.records for it in behind(sessions, broker) if it.group == SCORING)
    assert after == before - end


def test_the_age_of_the_oldest_unread_record_is_measured_in_each_partition(
    sessions: Sessions, broker: KafkaConfig, producer: Producer
) -> None:
    producer.send_all(events(30))
    ends = end_offsets(broker, [MARKETING_EVENTS.name])
    read, *unread = [log_partition for log_partition, end in ends.items() if end]
    with sessions.begin() as session:
        offsets.positions(session, SCORING, [read])
        offsets.advance(session, SCORING, [Move(read, 0, ends[read])])

    measure(sessions, broker, lambda: utc_now() + timedelta(minutes=5))

    assert unread
    with sessions() as session:
        [stored] = [it for it in stored_lags(session) if it.topic == MARKETING_EVENTS.name]
    assert (stored.group, stored.records) == (SCORING, sum(ends[it] for it in unread))
    assert stored.oldest_at is not None
    assert (stored.measured_at - stored.oldest_at).total_seconds() == pytest.approx(300, abs=60)
    assert age_s(read) == 0
    assert [age_s(it) for it in unread] == [pytest.approx(300, abs=60)] * len(unread)


def age_s(log_partition: LogPartition) -> float | None:
    """The age of the partition's oldest record that scoring has not read, as a scrape reads it."""
    labels = {
        "group": SCORING,
        "topic": log_partition.topic,
        "partition": str(log_partition.partition),
    }
    return gauge("leadbaton_lag_oldest_seconds", **labels)


def test_kafka_is_not_asked_when_no_group_is_behind(broker: KafkaConfig) -> None:
    assert oldest_unread(replace(broker, bootstrap=("127.0.0.1:1",)), {}) == {}


def test_a_broker_that_does_not_answer_is_an_outage(broker: KafkaConfig) -> None:
    log_partition = next(iter(end_offsets(broker, [MARKETING_EVENTS.name])))
    with pytest.raises(BrokerAway):
        oldest_unread(replace(broker, bootstrap=("127.0.0.1:1",)), {log_partition: 0})


def test_the_outbox_grows_older_while_kafka_is_away(
    sessions: Sessions, broker: KafkaConfig
) -> None:
    append_to_outbox(sessions, events(3))
    away = replace(broker, bootstrap=("127.0.0.1:1",))

    with pytest.raises(BrokerAway):
        measure(sessions, away, lambda: utc_now() + timedelta(minutes=5))

    assert gauge("leadbaton_outbox_unpublished") == 3
    assert gauge("leadbaton_outbox_kept") == pytest.approx(
        3, abs=3
    )  # PostgreSQL counts a moment later
    assert gauge("leadbaton_outbox_oldest_seconds") == pytest.approx(300, abs=30)


def test_dead_letters_are_counted_by_code_until_they_are_replayed(
    sessions: Sessions, broker: KafkaConfig
) -> None:
    with sessions.begin() as session:
        session.execute(
            text(
                "insert into messaging.dead_letters "
                "(consumer_group, topic, topic_id, partition, log_offset, headers, code, reason, attempts) "
                "values ('g', 't', gen_random_uuid(), 0, 0, '[]', 'unknown_version', 'why', 1)"
            )
        )
    measure(sessions, broker, utc_now)
    assert gauge("leadbaton_dead_letters_waiting", topic="t", code="unknown_version") == 1

    with sessions.begin() as session:
        session.execute(text("update messaging.dead_letters set replayed_at = now()"))
    measure(sessions, broker, utc_now)

    assert gauge("leadbaton_dead_letters_waiting", topic="t", code="unknown_version") is None
